# Generated from the options of bertcli by `python -m tools.completions`. Do not edit.

_bertcli() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options='' values='' takes='' word
    COMPREPLY=()
    # bash splits --option=value into three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    # Only texts follow --.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
        [[ $word == -- ]] && return
    done
    if ((COMP_CWORD == 1)); then
        values='encode fill-mask shapes attn models'
        [[ $cur == -* ]] && values='-V --version -h --help'
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
        return
    fi
    case ${COMP_WORDS[1]} in
        encode)
            options='-f --file --field --column --id-field --id-column --input-format --pair --pairs --on-error --pooling --normalize --no-normalize --prompt --prompt-name --layer-op --tokens --layers --pooler --words --pretokenized --word-pooling --word --similarity -k --top-k --no-labels --per-window --dtype-out --keep-text --shard-rows --resume --dedupe --ray --ray-address --actors --gpus-per-actor -m --model --revision --offline --engine --device --dtype --batch-tokens --batch-size --max-length --truncate --long --overlap --token --ablate --format --json --fields -o --output --svg --force --color --width --pager --no-pager -q --quiet --debug -h --help'
            case $prev in
                -f|--file) takes=file ;;
                --field|--column) takes=value ;;
                --id-field|--id-column) takes=value ;;
                --input-format) takes=value values='auto text jsonl csv tsv parquet' ;;
                --pair) takes=value ;;
                --on-error) takes=value values='stop skip' ;;
                --pooling) takes=value values='auto mean cls max mean-sqrt weighted-mean last pooler lexical' ;;
                --prompt) takes=value ;;
                --prompt-name) takes=value ;;
                --layer-op) takes=value values='mean sum concat' ;;
                --layers) takes=value values='all' ;;
                --word-pooling) takes=value values='mean first last' ;;
                --word) takes=value ;;
                --similarity) takes=value values='texts tokens' ;;
                -k|--top-k) takes=value ;;
                --dtype-out) takes=value values='float32 float16' ;;
                --shard-rows) takes=value ;;
                --ray-address) takes=value ;;
                --actors) takes=value ;;
                --gpus-per-actor) takes=value ;;
                -m|--model) takes=model ;;
                --revision) takes=value ;;
                --engine) takes=value values='auto numpy torch transformers' ;;
                --device) takes=value values='auto cpu cuda mps' ;;
                --dtype) takes=value values='auto float32 float16 bfloat16' ;;
                --batch-tokens) takes=value ;;
                --batch-size) takes=value ;;
                --max-length) takes=value ;;
                --long) takes=value values='error truncate windows' ;;
                --overlap) takes=value ;;
                --token) takes=value ;;
                --ablate) takes=value ;;
                --format) takes=value values='auto table json jsonl csv tsv plain' ;;
                --fields) takes=value ;;
                -o|--output) takes=file ;;
                --svg) takes=file ;;
                --color) takes=value values='auto always never' ;;
                --width) takes=value ;;
            esac
            ;;
        fill-mask)
            options='-f --file --field --column --id-field --id-column --input-format --pair --pairs --on-error -k --top-k --mass --entropy --targets --target-field --target-score --joint --order --pieces --rank --score --within-word --words --lens --lens-file --compare --mutual --head-effects --attribute --baseline --steps --png --versus --only --only-words --aggregate --group-by --keep-text --shard-rows --resume --ray --ray-address --actors --gpus-per-actor -m --model --revision --offline --engine --device --dtype --batch-tokens --batch-size --max-length --truncate --long --overlap --token --ablate --format --json --fields -o --output --svg --force --color --width --pager --no-pager -q --quiet --debug -h --help'
            case $prev in
                -f|--file) takes=file ;;
                --field|--column) takes=value ;;
                --id-field|--id-column) takes=value ;;
                --input-format) takes=value values='auto text jsonl csv tsv parquet' ;;
                --pair) takes=value ;;
                --on-error) takes=value values='stop skip' ;;
                -k|--top-k) takes=value ;;
                --mass) takes=value ;;
                --targets) takes=value ;;
                --target-field) takes=value ;;
                --target-score) takes=value values='l2r mean' ;;
                --order) takes=value values='confidence l2r' ;;
                --pieces) takes=value ;;
                --rank) takes=value values='mean sum' ;;
                --within-word) takes=value values='original l2r whole sentence-l2r' ;;
                --lens) takes=value values='auto raw tuned' ;;
                --lens-file) takes=file ;;
                --compare) takes=model ;;
                --attribute) takes=value values='occlusion ig' ;;
                --baseline) takes=value values='mask pad zero' ;;
                --steps) takes=value ;;
                --png) takes=file ;;
                --versus) takes=value ;;
                --only) takes=value values='shared b' ;;
                --only-words) takes=value ;;
                --group-by) takes=value ;;
                --shard-rows) takes=value ;;
                --ray-address) takes=value ;;
                --actors) takes=value ;;
                --gpus-per-actor) takes=value ;;
                -m|--model) takes=model ;;
                --revision) takes=value ;;
                --engine) takes=value values='auto numpy torch transformers' ;;
                --device) takes=value values='auto cpu cuda mps' ;;
                --dtype) takes=value values='auto float32 float16 bfloat16' ;;
                --batch-tokens) takes=value ;;
                --batch-size) takes=value ;;
                --max-length) takes=value ;;
                --long) takes=value values='error truncate windows' ;;
                --overlap) takes=value ;;
                --token) takes=value ;;
                --ablate) takes=value ;;
                --format) takes=value values='auto table json jsonl csv tsv plain' ;;
                --fields) takes=value ;;
                -o|--output) takes=file ;;
                --svg) takes=file ;;
                --color) takes=value values='auto always never' ;;
                --width) takes=value ;;
            esac
            ;;
        shapes)
            options='-f --file --field --column --id-field --id-column --input-format --pair --pairs --on-error --batch --seq --run --weights --tokens --lengths -m --model --revision --offline --engine --device --dtype --batch-tokens --batch-size --max-length --truncate --long --overlap --token --format --json --fields -o --output --svg --force --color --width --pager --no-pager -q --quiet --debug -h --help'
            case $prev in
                -f|--file) takes=file ;;
                --field|--column) takes=value ;;
                --id-field|--id-column) takes=value ;;
                --input-format) takes=value values='auto text jsonl csv tsv parquet' ;;
                --pair) takes=value ;;
                --on-error) takes=value values='stop skip' ;;
                --batch) takes=value ;;
                --seq) takes=value ;;
                -m|--model) takes=model ;;
                --revision) takes=value ;;
                --engine) takes=value values='auto numpy torch transformers' ;;
                --device) takes=value values='auto cpu cuda mps' ;;
                --dtype) takes=value values='auto float32 float16 bfloat16' ;;
                --batch-tokens) takes=value ;;
                --batch-size) takes=value ;;
                --max-length) takes=value ;;
                --long) takes=value values='error truncate windows' ;;
                --overlap) takes=value ;;
                --token) takes=value ;;
                --format) takes=value values='auto table json jsonl csv tsv plain' ;;
                --fields) takes=value ;;
                -o|--output) takes=file ;;
                --svg) takes=file ;;
                --color) takes=value values='auto always never' ;;
                --width) takes=value ;;
            esac
            ;;
        attn)
            options='-f --file --field --column --id-field --id-column --input-format --pair --pairs --on-error --layer --layers --head --label --top --by --group --stat --grid --aggregate --from -k --top-k --rollout --value-norms --head-distance --words --rows --cols --expansion --html --open --png --attribute --baseline --steps --head-effects --keep-text --shard-rows --resume --ray --ray-address --actors --gpus-per-actor -m --model --revision --offline --engine --device --dtype --batch-tokens --batch-size --max-length --truncate --long --overlap --token --ablate --format --json --fields -o --output --svg --force --color --width --pager --no-pager -q --quiet --debug -h --help'
            case $prev in
                -f|--file) takes=file ;;
                --field|--column) takes=value ;;
                --id-field|--id-column) takes=value ;;
                --input-format) takes=value values='auto text jsonl csv tsv parquet' ;;
                --pair) takes=value ;;
                --on-error) takes=value values='stop skip' ;;
                --layer) takes=value values='all' ;;
                --layers) takes=value values='all' ;;
                --head) takes=value ;;
                --label) takes=value ;;
                --top) takes=value ;;
                --by) takes=value ;;
                --group) takes=value values='layer' ;;
                --stat) takes=value ;;
                --grid) takes=value ;;
                --from) takes=value ;;
                -k|--top-k) takes=value ;;
                --rows) takes=value ;;
                --cols) takes=value ;;
                --html) takes=file ;;
                --png) takes=file ;;
                --attribute) takes=value values='occlusion ig' ;;
                --baseline) takes=value values='mask pad zero' ;;
                --steps) takes=value ;;
                --shard-rows) takes=value ;;
                --ray-address) takes=value ;;
                --actors) takes=value ;;
                --gpus-per-actor) takes=value ;;
                -m|--model) takes=model ;;
                --revision) takes=value ;;
                --engine) takes=value values='auto numpy torch transformers' ;;
                --device) takes=value values='auto cpu cuda mps' ;;
                --dtype) takes=value values='auto float32 float16 bfloat16' ;;
                --batch-tokens) takes=value ;;
                --batch-size) takes=value ;;
                --max-length) takes=value ;;
                --long) takes=value values='error truncate windows' ;;
                --overlap) takes=value ;;
                --token) takes=value ;;
                --ablate) takes=value ;;
                --format) takes=value values='auto table json jsonl csv tsv plain' ;;
                --fields) takes=value ;;
                -o|--output) takes=file ;;
                --svg) takes=file ;;
                --color) takes=value values='auto always never' ;;
                --width) takes=value ;;
            esac
            ;;
        models)
            options='--format --json --fields -o --output --svg --force --color --width --pager --no-pager -q --quiet --debug -h --help'
            case $prev in
                --format) takes=value values='auto table json jsonl csv tsv plain' ;;
                --fields) takes=value ;;
                -o|--output) takes=file ;;
                --svg) takes=file ;;
                --color) takes=value values='auto always never' ;;
                --width) takes=value ;;
            esac
            ;;
    esac
    case $takes in
        file)
            # bash 3.2 has no compopt. There, spaces in file names are not escaped.
            compopt -o default 2>/dev/null || { local IFS=$'\n'; COMPREPLY=($(compgen -f -- "$cur")); }
            ;;
        model)
            local IFS=$'\n' folders
            COMPREPLY=($(compgen -W "$(_BERTCLI_COMPLETE=models "${1/#\~/$HOME}" 2>/dev/null)" -- "$cur"))
            folders=($(compgen -d -- "$cur"))
            if ((${#COMPREPLY[@]})); then
                # With -o filenames bash would list only the last part of owner/name, so complete folders without it.
                COMPREPLY+=("${folders[@]/%//}")
            else
                compopt -o filenames 2>/dev/null
                COMPREPLY=("${folders[@]}")
            fi
            ;;
        value)
            COMPREPLY=($(compgen -W "$values" -- "$cur"))
            ;;
        *)
            [[ $cur == -* ]] && COMPREPLY=($(compgen -W "$options" -- "$cur"))
            ;;
    esac
}

complete -F _bertcli bertcli
