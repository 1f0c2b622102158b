"""What is made of finished cells: tables in the paper's shape, findings, documents and pictures."""
