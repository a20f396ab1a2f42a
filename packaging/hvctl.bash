source <(hvctl completion bash)
