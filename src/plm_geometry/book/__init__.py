"""What a chapter writes, running chapters, student editions."""
