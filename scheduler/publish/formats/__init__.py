"""The published rows in other formats: workbooks, GeoJSON and Parquet."""
