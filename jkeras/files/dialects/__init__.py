"""What other versions of Keras wrote, in the words of today. Functions of plain values; nothing here knows layers or models."""
