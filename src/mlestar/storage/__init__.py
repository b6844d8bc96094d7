"""What is kept: SQL, migrations, content-addressed files."""
