//! All SQL: migrations, rows, one transaction per file.
