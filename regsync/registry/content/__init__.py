"""What a repository holds, carried: blobs down and up, lists page by page, answers that must mean something."""
