"""The completion scripts for bash, zsh and fish, generated from the app's options."""
