"""Records of what a served model was asked, as TFRecord files: off unless a folder is named."""
