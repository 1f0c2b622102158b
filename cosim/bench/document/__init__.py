"""The figures as a document, beside what was aimed at: Markdown and a picture, from the record."""
