"""A suite's figures as documents: JSON (`document`), and pages for people made of that."""
