"""The completion scripts of bash, zsh, fish and PowerShell, made from the app."""
