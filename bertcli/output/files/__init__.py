"""Writers of arrays, Parquet files and folders of shards, and atomic writing of every output file."""
