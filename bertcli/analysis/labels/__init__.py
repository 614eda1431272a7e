"""Labels of texts and tokens, and answers to questions, from the logits of a checkpoint's heads."""
