"""Language models: text in, text out, bound by a schema; they hold no file and call no tool."""
