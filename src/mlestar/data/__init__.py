"""Files that ship with the product: tokenizer vocabularies, sample data."""
