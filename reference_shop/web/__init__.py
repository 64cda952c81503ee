"""The shop's HTTP face: pages, forms, files, and the operators' doors. Calls `services`, knows no SQL."""
