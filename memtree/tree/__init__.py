"""The tree on disk: reading files without trusting them, and writing them without losing anything.

Reading a file: `format` finds the front matter and the body, `front_matter` reads the YAML inside,
`surgery` changes single keys of it, `post` is the same for programs that know python-frontmatter.
`markdown` is what the index wants to know, from `outline` (headings and code), `inline` (links and
tags) and `passages` (how a body is cut).

Finding, linking and writing files: see the other modules' first lines.
"""
