# Made from the options of bertcli by python -m tools.completions, which writes it anew.

$script:commands = [ordered]@{
    'encode' = @{
        help = 'Vectors: hidden states and pooled outputs of BertModel.'
        options = @(
            @{ names = @('-f', '--file'); value = 'FILE'; help = 'Read a text from each line of FILE, or from a field of its rows; may be given again, or be ''*.csv''.' }
            @{ names = @('--field', '--column'); value = 'NAME'; help = 'Where a row has its text.' }
            @{ names = @('--id-field', '--id-column'); value = 'NAME'; help = 'What a row is known by: its id.' }
            @{ names = @('--input-format'); value = 'INPUT_FORMAT'; choices = @('auto', 'text', 'jsonl', 'csv', 'tsv', 'parquet'); help = 'What the texts are in; auto goes by FILE''s suffix.' }
            @{ names = @('--pair'); value = 'TEXT'; help = 'Sentence B for every text.' }
            @{ names = @('--pairs'); help = 'In each text a tab parts sentence A from B.' }
            @{ names = @('--on-error'); value = 'ON_ERROR'; choices = @('stop', 'skip'); help = 'What to do about a text that cannot be answered.' }
            @{ names = @('--pool'); value = 'POOL'; choices = @('mean', 'cls', 'max', 'pooler'); help = 'How a text''s vector is made of its tokens''.' }
            @{ names = @('--normalize'); help = 'Scale each embedding to length 1.' }
            @{ names = @('--tokens'); help = 'Add each token''s vector: token_vectors.' }
            @{ names = @('--layers'); value = 'LAYERS'; choices = @('all'); help = 'Add hidden_states: all, -1, or such as 0,6,12; 0: embeddings.' }
            @{ names = @('--pooler'); help = 'Add pooler_output, tanh(W h_[CLS] + b).' }
            @{ names = @('--similarity'); help = 'Add the cosine between each two texts.' }
            @{ names = @('--dtype-out'); value = 'DTYPE_OUT'; choices = @('float32', 'float16'); help = 'The numbers to write in.' }
            @{ names = @('--keep-text'); help = 'To Parquet, write each text beside its vector.' }
            @{ names = @('--shard-rows'); value = 'N'; help = 'Rows to a file, of a folder (-o out/).' }
            @{ names = @('--resume'); help = 'Go on with a folder where a run broke off.' }
            @{ names = @('--dedupe'); help = 'Compute equal texts once.' }
            @{ names = @('--ray'); help = 'Into a folder, encode on Ray: here, or on a cluster.' }
            @{ names = @('--ray-address'); value = 'ADDRESS'; help = 'The cluster, such as ray://head:10001; else one is started.' }
            @{ names = @('--actors'); value = 'N'; help = 'How many models run; by default one for each CPU, or GPU.' }
            @{ names = @('--gpus-per-actor'); value = 'X'; help = 'GPUs for each, such as 1 or 0.5.' }
            @{ names = @('-m', '--model'); value = 'MODEL'; help = 'A checkpoint folder, a name on the model hub, or bundled.' }
            @{ names = @('--revision'); value = 'REVISION'; help = 'A branch, tag or commit of a model from the hub.' }
            @{ names = @('--offline'); help = 'Never ask the hub: use what is here.' }
            @{ names = @('--engine'); value = 'ENGINE'; choices = @('auto', 'numpy', 'torch', 'transformers'); help = 'numpy starts at once, torch is for bulk and GPUs, transformers is the cross-check.' }
            @{ names = @('--device'); value = 'DEVICE'; choices = @('auto', 'cpu', 'cuda', 'mps'); help = 'auto, cpu, cuda, cuda:N or mps.' }
            @{ names = @('--dtype'); value = 'DTYPE'; choices = @('float32', 'float16', 'bfloat16'); help = 'The numbers to compute in.' }
            @{ names = @('--batch-tokens'); value = 'N'; help = 'Tokens to a batch; by default 2048, on a GPU 16384.' }
            @{ names = @('--max-length'); value = 'N'; help = 'Tokens to a text; by default all that the model takes.' }
            @{ names = @('--truncate'); help = 'Cut longer texts instead of refusing them.' }
            @{ names = @('--format'); value = 'FORMAT'; choices = @('auto', 'table', 'json', 'jsonl', 'csv', 'tsv'); help = 'auto is a table on a terminal and TSV elsewhere.' }
            @{ names = @('--json'); help = 'Short for --format json.' }
            @{ names = @('-o', '--output'); value = 'FILE'; help = 'Write to FILE, in the format that its suffix names.' }
            @{ names = @('--svg'); value = 'FILE'; help = 'Write the table to FILE as a picture: -o FILE.svg.' }
            @{ names = @('--force'); help = 'Replace FILE if it is there.' }
            @{ names = @('--color'); value = 'COLOR'; choices = @('auto', 'always', 'never'); help = 'Colour tables; auto heeds the terminal and NO_COLOR.' }
            @{ names = @('--width'); value = 'N'; help = 'Columns for tables; by default the terminal''s.' }
            @{ names = @('-q', '--quiet'); help = 'Leave out notes on stderr.' }
            @{ names = @('--debug'); help = 'Show the trace of an error inside bertcli.' }
            @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
        )
    }
    'fill-mask' = @{
        help = 'Predictions: what BertForMaskedLM puts in a [MASK].'
        options = @(
            @{ names = @('-f', '--file'); value = 'FILE'; help = 'Read a text from each line of FILE, or from a field of its rows; may be given again, or be ''*.csv''.' }
            @{ names = @('--field', '--column'); value = 'NAME'; help = 'Where a row has its text.' }
            @{ names = @('--id-field', '--id-column'); value = 'NAME'; help = 'What a row is known by: its id.' }
            @{ names = @('--input-format'); value = 'INPUT_FORMAT'; choices = @('auto', 'text', 'jsonl', 'csv', 'tsv', 'parquet'); help = 'What the texts are in; auto goes by FILE''s suffix.' }
            @{ names = @('--pair'); value = 'TEXT'; help = 'Sentence B for every text.' }
            @{ names = @('--pairs'); help = 'In each text a tab parts sentence A from B.' }
            @{ names = @('--on-error'); value = 'ON_ERROR'; choices = @('stop', 'skip'); help = 'What to do about a text that cannot be answered.' }
            @{ names = @('-k', '--top-k'); value = 'N'; help = 'How many candidates for each mask.' }
            @{ names = @('--mass'); value = 'P'; help = 'As many as it takes to reach probability P.' }
            @{ names = @('--entropy'); help = 'Add how unsure the model is, in bits.' }
            @{ names = @('--targets'); value = 'WORDS'; help = 'Score these too, such as are,is,"New York".' }
            @{ names = @('--target-score'); value = 'TARGET_SCORE'; choices = @('l2r', 'mean'); help = 'Pieces of a target: one after another, or their mean.' }
            @{ names = @('--joint'); help = 'Fill all masks of a text together.' }
            @{ names = @('--order'); value = 'ORDER'; choices = @('confidence', 'l2r'); help = 'With --joint: the surest mask first, or the leftmost.' }
            @{ names = @('--score'); help = 'How probable is each text? Every token is masked in turn.' }
            @{ names = @('--within-word'); value = 'WITHIN_WORD'; choices = @('l2r'); help = 'With --score: mask the later pieces of a word too.' }
            @{ names = @('--lens'); help = 'What would each layer say?' }
            @{ names = @('--compare'); value = 'MODEL'; help = 'What does another model say?' }
            @{ names = @('--mutual'); help = 'How much does masking one token change what is said of another?' }
            @{ names = @('-m', '--model'); value = 'MODEL'; help = 'A checkpoint folder, a name on the model hub, or bundled.' }
            @{ names = @('--revision'); value = 'REVISION'; help = 'A branch, tag or commit of a model from the hub.' }
            @{ names = @('--offline'); help = 'Never ask the hub: use what is here.' }
            @{ names = @('--engine'); value = 'ENGINE'; choices = @('auto', 'numpy', 'torch', 'transformers'); help = 'numpy starts at once, torch is for bulk and GPUs, transformers is the cross-check.' }
            @{ names = @('--device'); value = 'DEVICE'; choices = @('auto', 'cpu', 'cuda', 'mps'); help = 'auto, cpu, cuda, cuda:N or mps.' }
            @{ names = @('--dtype'); value = 'DTYPE'; choices = @('float32', 'float16', 'bfloat16'); help = 'The numbers to compute in.' }
            @{ names = @('--batch-tokens'); value = 'N'; help = 'Tokens to a batch; by default 2048, on a GPU 16384.' }
            @{ names = @('--max-length'); value = 'N'; help = 'Tokens to a text; by default all that the model takes.' }
            @{ names = @('--truncate'); help = 'Cut longer texts instead of refusing them.' }
            @{ names = @('--format'); value = 'FORMAT'; choices = @('auto', 'table', 'json', 'jsonl', 'csv', 'tsv'); help = 'auto is a table on a terminal and TSV elsewhere.' }
            @{ names = @('--json'); help = 'Short for --format json.' }
            @{ names = @('-o', '--output'); value = 'FILE'; help = 'Write to FILE, in the format that its suffix names.' }
            @{ names = @('--svg'); value = 'FILE'; help = 'Write the table to FILE as a picture: -o FILE.svg.' }
            @{ names = @('--force'); help = 'Replace FILE if it is there.' }
            @{ names = @('--color'); value = 'COLOR'; choices = @('auto', 'always', 'never'); help = 'Colour tables; auto heeds the terminal and NO_COLOR.' }
            @{ names = @('--width'); value = 'N'; help = 'Columns for tables; by default the terminal''s.' }
            @{ names = @('-q', '--quiet'); help = 'Leave out notes on stderr.' }
            @{ names = @('--debug'); help = 'Show the trace of an error inside bertcli.' }
            @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
        )
    }
    'shapes' = @{
        help = 'Shapes: every output of both classes, from the config alone.'
        options = @(
            @{ names = @('-f', '--file'); value = 'FILE'; help = 'Read a text from each line of FILE, or from a field of its rows; may be given again, or be ''*.csv''.' }
            @{ names = @('--field', '--column'); value = 'NAME'; help = 'Where a row has its text.' }
            @{ names = @('--id-field', '--id-column'); value = 'NAME'; help = 'What a row is known by: its id.' }
            @{ names = @('--input-format'); value = 'INPUT_FORMAT'; choices = @('auto', 'text', 'jsonl', 'csv', 'tsv', 'parquet'); help = 'What the texts are in; auto goes by FILE''s suffix.' }
            @{ names = @('--pair'); value = 'TEXT'; help = 'Sentence B for every text.' }
            @{ names = @('--pairs'); help = 'In each text a tab parts sentence A from B.' }
            @{ names = @('--on-error'); value = 'ON_ERROR'; choices = @('stop', 'skip'); help = 'What to do about a text that cannot be answered.' }
            @{ names = @('--batch'); value = 'N'; help = 'Texts, in place of texts.' }
            @{ names = @('--seq'); value = 'N'; help = 'Tokens to a text, in place of texts.' }
            @{ names = @('--run'); help = 'Run the model, and show what came out beside it.' }
            @{ names = @('--weights'); help = 'List the checkpoint''s tensors instead.' }
            @{ names = @('-m', '--model'); value = 'MODEL'; help = 'A checkpoint folder, a name on the model hub, or bundled.' }
            @{ names = @('--revision'); value = 'REVISION'; help = 'A branch, tag or commit of a model from the hub.' }
            @{ names = @('--offline'); help = 'Never ask the hub: use what is here.' }
            @{ names = @('--engine'); value = 'ENGINE'; choices = @('auto', 'numpy', 'torch', 'transformers'); help = 'numpy starts at once, torch is for bulk and GPUs, transformers is the cross-check.' }
            @{ names = @('--device'); value = 'DEVICE'; choices = @('auto', 'cpu', 'cuda', 'mps'); help = 'auto, cpu, cuda, cuda:N or mps.' }
            @{ names = @('--dtype'); value = 'DTYPE'; choices = @('float32', 'float16', 'bfloat16'); help = 'The numbers to compute in.' }
            @{ names = @('--batch-tokens'); value = 'N'; help = 'Tokens to a batch; by default 2048, on a GPU 16384.' }
            @{ names = @('--max-length'); value = 'N'; help = 'Tokens to a text; by default all that the model takes.' }
            @{ names = @('--truncate'); help = 'Cut longer texts instead of refusing them.' }
            @{ names = @('--format'); value = 'FORMAT'; choices = @('auto', 'table', 'json', 'jsonl', 'csv', 'tsv'); help = 'auto is a table on a terminal and TSV elsewhere.' }
            @{ names = @('--json'); help = 'Short for --format json.' }
            @{ names = @('-o', '--output'); value = 'FILE'; help = 'Write to FILE, in the format that its suffix names.' }
            @{ names = @('--svg'); value = 'FILE'; help = 'Write the table to FILE as a picture: -o FILE.svg.' }
            @{ names = @('--force'); help = 'Replace FILE if it is there.' }
            @{ names = @('--color'); value = 'COLOR'; choices = @('auto', 'always', 'never'); help = 'Colour tables; auto heeds the terminal and NO_COLOR.' }
            @{ names = @('--width'); value = 'N'; help = 'Columns for tables; by default the terminal''s.' }
            @{ names = @('-q', '--quiet'); help = 'Leave out notes on stderr.' }
            @{ names = @('--debug'); help = 'Show the trace of an error inside bertcli.' }
            @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
        )
    }
    'attn' = @{
        help = 'Attention: what each head looks at.'
        options = @(
            @{ names = @('-f', '--file'); value = 'FILE'; help = 'Read a text from each line of FILE, or from a field of its rows; may be given again, or be ''*.csv''.' }
            @{ names = @('--field', '--column'); value = 'NAME'; help = 'Where a row has its text.' }
            @{ names = @('--id-field', '--id-column'); value = 'NAME'; help = 'What a row is known by: its id.' }
            @{ names = @('--input-format'); value = 'INPUT_FORMAT'; choices = @('auto', 'text', 'jsonl', 'csv', 'tsv', 'parquet'); help = 'What the texts are in; auto goes by FILE''s suffix.' }
            @{ names = @('--pair'); value = 'TEXT'; help = 'Sentence B for every text.' }
            @{ names = @('--pairs'); help = 'In each text a tab parts sentence A from B.' }
            @{ names = @('--on-error'); value = 'ON_ERROR'; choices = @('stop', 'skip'); help = 'What to do about a text that cannot be answered.' }
            @{ names = @('--layer'); value = 'L'; help = 'This layer only, counted from 0.' }
            @{ names = @('--head'); value = 'H'; help = 'This head only; with --layer, its matrix.' }
            @{ names = @('--label'); value = 'LABEL'; choices = @('previous', 'next', 'self', 'delimiter', 'broad'); help = 'The heads of this label only.' }
            @{ names = @('--top'); value = 'N'; help = 'The first N heads only, --by.' }
            @{ names = @('--by'); value = 'STAT'; help = 'Sort: the largest first, or with -STAT the smallest.' }
            @{ names = @('--group'); value = 'GROUP'; choices = @('layer'); help = 'The mean of each layer''s heads.' }
            @{ names = @('--stat'); value = 'STATS'; help = 'These statistics only, such as entropy,cls.' }
            @{ names = @('--grid'); value = 'GRID'; choices = @('entropy', 'self', 'previous', 'next', 'cls', 'sep', 'punctuation', 'distance', 'confidence'); help = 'Layers by heads, shaded by this statistic.' }
            @{ names = @('--aggregate'); help = 'All texts together, as one record.' }
            @{ names = @('--from'); value = 'TOKEN'; help = 'What TOKEN, or a position, attends to most.' }
            @{ names = @('-k', '--top-k'); value = 'N'; help = 'With --from, how many tokens it attends to.' }
            @{ names = @('--rollout'); help = 'Attention followed through all layers.' }
            @{ names = @('--value-norms'); help = 'Weights times the size of what they weigh.' }
            @{ names = @('--head-distance'); help = 'The Jensen-Shannon distance between each two heads.' }
            @{ names = @('--words'); help = 'Matrices over words, not over their pieces.' }
            @{ names = @('--rows'); value = 'FROM-TO'; help = 'Of a matrix, these rows (queries) only.' }
            @{ names = @('--cols'); value = 'FROM-TO'; help = 'Of a matrix, these columns (keys) only.' }
            @{ names = @('--expansion'); help = 'By the weights alone: how much each layer''s values expand.' }
            @{ names = @('--html'); value = 'FILE'; help = 'A page of everything, for any browser: -o FILE.html.' }
            @{ names = @('--open'); help = 'Open the page that is written.' }
            @{ names = @('--png'); value = 'FILE'; help = 'A picture of one head or of the grid: -o FILE.png.' }
            @{ names = @('-m', '--model'); value = 'MODEL'; help = 'A checkpoint folder, a name on the model hub, or bundled.' }
            @{ names = @('--revision'); value = 'REVISION'; help = 'A branch, tag or commit of a model from the hub.' }
            @{ names = @('--offline'); help = 'Never ask the hub: use what is here.' }
            @{ names = @('--engine'); value = 'ENGINE'; choices = @('auto', 'numpy', 'torch', 'transformers'); help = 'numpy starts at once, torch is for bulk and GPUs, transformers is the cross-check.' }
            @{ names = @('--device'); value = 'DEVICE'; choices = @('auto', 'cpu', 'cuda', 'mps'); help = 'auto, cpu, cuda, cuda:N or mps.' }
            @{ names = @('--dtype'); value = 'DTYPE'; choices = @('float32', 'float16', 'bfloat16'); help = 'The numbers to compute in.' }
            @{ names = @('--batch-tokens'); value = 'N'; help = 'Tokens to a batch; by default 2048, on a GPU 16384.' }
            @{ names = @('--max-length'); value = 'N'; help = 'Tokens to a text; by default all that the model takes.' }
            @{ names = @('--truncate'); help = 'Cut longer texts instead of refusing them.' }
            @{ names = @('--format'); value = 'FORMAT'; choices = @('auto', 'table', 'json', 'jsonl', 'csv', 'tsv'); help = 'auto is a table on a terminal and TSV elsewhere.' }
            @{ names = @('--json'); help = 'Short for --format json.' }
            @{ names = @('-o', '--output'); value = 'FILE'; help = 'Write to FILE, in the format that its suffix names.' }
            @{ names = @('--svg'); value = 'FILE'; help = 'Write the table to FILE as a picture: -o FILE.svg.' }
            @{ names = @('--force'); help = 'Replace FILE if it is there.' }
            @{ names = @('--color'); value = 'COLOR'; choices = @('auto', 'always', 'never'); help = 'Colour tables; auto heeds the terminal and NO_COLOR.' }
            @{ names = @('--width'); value = 'N'; help = 'Columns for tables; by default the terminal''s.' }
            @{ names = @('-q', '--quiet'); help = 'Leave out notes on stderr.' }
            @{ names = @('--debug'); help = 'Show the trace of an error inside bertcli.' }
            @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
        )
    }
    'models' = @{
        help = 'Models: what is here to be given as -m.'
        options = @(
            @{ names = @('--format'); value = 'FORMAT'; choices = @('auto', 'table', 'json', 'jsonl', 'csv', 'tsv'); help = 'auto is a table on a terminal and TSV elsewhere.' }
            @{ names = @('--json'); help = 'Short for --format json.' }
            @{ names = @('-o', '--output'); value = 'FILE'; help = 'Write to FILE, in the format that its suffix names.' }
            @{ names = @('--svg'); value = 'FILE'; help = 'Write the table to FILE as a picture: -o FILE.svg.' }
            @{ names = @('--force'); help = 'Replace FILE if it is there.' }
            @{ names = @('--color'); value = 'COLOR'; choices = @('auto', 'always', 'never'); help = 'Colour tables; auto heeds the terminal and NO_COLOR.' }
            @{ names = @('--width'); value = 'N'; help = 'Columns for tables; by default the terminal''s.' }
            @{ names = @('-q', '--quiet'); help = 'Leave out notes on stderr.' }
            @{ names = @('--debug'); help = 'Show the trace of an error inside bertcli.' }
            @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
        )
    }
}
$script:options = @(
    @{ names = @('--version'); help = 'Show the version and exit.' }
    @{ names = @('-h', '--help'); help = 'Show this message and exit.' }
)

function script:New-Completion([string] $text, [string] $type, [string] $help) {
    [System.Management.Automation.CompletionResult]::new($text, $text, $type, $help)
}

function script:Find-Option($options, [string] $typed) {
    if ($typed -notlike '-*') { return }
    foreach ($option in $options) {
        $option.names -clike "$typed*" | ForEach-Object { New-Completion $_ 'ParameterName' $option.help }
    }
}

function script:Find-Value($option, [string] $typed, [string] $program) {
    if ($option.choices) {
        $option.choices -like "$typed*" | ForEach-Object { New-Completion $_ 'ParameterValue' $option.help }
    } elseif ($option.value -eq 'FILE') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)
    } elseif ($option.value -eq 'MODEL') {
        $env:_BERTCLI_COMPLETE = 'models'
        try { $models = @(& $program 2>$null) } finally { Remove-Item -Path Env:_BERTCLI_COMPLETE }
        $models -like "$typed*" | ForEach-Object { New-Completion $_ 'ParameterValue' 'model' }
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed) |
            Where-Object { $_.ResultType -eq 'ProviderContainer' }
    }
}

Register-ArgumentCompleter -Native -CommandName bertcli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @(
        $commandAst.CommandElements |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.ToString() }
    )
    $typed = "$wordToComplete"
    if ($words.Count -lt 2) {
        $script:commands.Keys -like "$typed*" |
            ForEach-Object { New-Completion $_ 'ParameterValue' $script:commands[$_].help }
        Find-Option $script:options $typed
        return
    }
    $command = $script:commands[$words[1]]
    # After -- there are texts alone.
    if (-not $command -or $words -contains '--') { return }
    $previous = $command.options | Where-Object { $_.value -and $_.names -ccontains $words[-1] }
    if ($previous) {
        Find-Value $previous $typed $words[0]
    } else {
        Find-Option $command.options $typed
    }
}

Export-ModuleMember -Function @()
