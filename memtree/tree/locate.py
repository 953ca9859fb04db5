"""Where the tree is, and how a new one begins.

A tree is a folder that holds `.memtree/`. It is found by walking up; on the way a folder `memory/`
with a `.memtree/` inside counts too, so that a code repository can keep its tree in `memory/`.
`init_tree` only ever adds files: a byte that is already there is never touched, so that a folder of
existing notes becomes a tree without changing.

Every command passes here: this module imports nothing that costs.
"""

from __future__ import annotations

import os

from memtree.errors import PathRefused, Refused, StorageFailed, TreeNotFound, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = ".memtree"
INSIDE = "memory"
BLANK = "blank"
VARIABLE = "MEMTREE_TREE"
IGNORE = b"# Everything here can be rebuilt, or belongs to this machine alone.\nstate/\ncache/\n"

# Files that say "this repository holds code". A repository of notes has none of them.
MANIFESTS = frozenset(
    {
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "requirements.txt",
        "package.json",
        "deno.json",
        "Cargo.toml",
        "go.mod",
        "go.work",
        "Makefile",
        "CMakeLists.txt",
        "meson.build",
        "BUILD.bazel",
        "MODULE.bazel",
        "WORKSPACE",
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
        "build.sbt",
        "Gemfile",
        "composer.json",
        "mix.exs",
        "rebar.config",
        "Package.swift",
        "pubspec.yaml",
        "stack.yaml",
        "cabal.project",
        "project.clj",
        "dune-project",
        "build.zig",
        "shard.yml",
        "flake.nix",
    }
)
MANIFEST_SUFFIXES = (".sln", ".csproj", ".fsproj", ".cabal", ".gemspec")


class Initialised:
    """What `init_tree` did: the tree's `root`, the files it `created`, and whether it was there.

    `created` holds paths relative to `root`, with `/`, in the order they were written.
    """

    __slots__ = ("created", "existed", "root")

    def __init__(self, root: str, *, created: tuple[str, ...], existed: bool) -> None:
        self.root = root
        self.created = created
        self.existed = existed


def is_tree(folder: str) -> bool:
    """Whether `folder` itself is the root of a tree."""
    return os.path.isdir(os.path.join(folder, MARK))


def tree_at(folder: str) -> str | None:
    """Find the tree in exactly this folder, or in the `memory/` inside it; else None."""
    if is_tree(folder):
        return folder
    inside = os.path.join(folder, INSIDE)
    return inside if is_tree(inside) else None


def find_tree(start: str) -> str | None:
    """Find the nearest tree at `start` or above it; None up to the file system's root."""
    folder = os.path.abspath(start)
    while True:
        found = tree_at(folder)
        if found is not None:
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def locate(
    named: str | None = None,
    *,
    start: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Find the root of the tree to use, as an absolute path.

    `named` (`--tree DIR`) wins over the variable MEMTREE_TREE, which wins over walking up from
    `start` (the working directory). A named folder must hold the tree itself, or in `memory/`;
    only when it lies inside a tree that is the one. Raises TreeNotFound.
    """
    environ = os.environ if environ is None else environ
    from_variable = environ.get(VARIABLE, "") if named is None else ""
    wanted = named if named is not None else from_variable
    if wanted:
        folder = place_for(wanted, start=working_directory(wanted))
        found = find_tree(folder) if os.path.isdir(folder) else None
        if found is None:
            source = f" (from {VARIABLE})" if from_variable else ""
            raise TreeNotFound(
                f"there is no tree in '{wanted}'{source}",
                hint=f"make one there: memtree init '{wanted}'",
            )
        return _nameable(found)
    start = working_directory() if start is None else start
    found = find_tree(start)
    if found is None:
        raise TreeNotFound(
            f"there is no tree in '{start}' or above it",
            hint="make one: memtree init (or name one: --tree DIR)",
        )
    return _nameable(found)


def working_directory(named: str | None = None, *, hint: str = "name one: --tree DIR") -> str:
    """Return where a relative path begins; "" for a `named` folder that is absolute.

    Raises TreeNotFound when the working directory was removed, with `hint`.
    """
    if named is not None and os.path.isabs(os.path.expanduser(named)):
        return ""
    try:
        return os.getcwd()
    except OSError:
        raise TreeNotFound("the working directory is gone", hint=hint) from None


def _nameable(root: str) -> str:
    """Return `root`; raise PathRefused when its name is no Unicode text: no index could open it."""
    try:
        root.encode()
    except UnicodeEncodeError:
        raise PathRefused(
            f"the name of the folder {root!a} is not UTF-8, so it can't hold a tree",
            hint="rename the folder; nothing was changed",
        ) from None
    return root


def is_code_repository(folder: str) -> bool:
    """Tell a git repository with a project manifest, and not an Obsidian vault."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return False
    if ".git" not in names or ".obsidian" in names:
        return False
    return bool(names & MANIFESTS) or any(name.endswith(MANIFEST_SUFFIXES) for name in names)


def place_for(directory: str | None, *, start: str) -> str:
    """Where `init` puts a tree: a named directory as it is, else `memory/` in a code repository."""
    if directory is not None:
        return os.path.abspath(os.path.join(start, os.path.expanduser(directory)))
    start = os.path.abspath(start)
    return os.path.join(start, INSIDE) if is_code_repository(start) else start


def templates_dir() -> str | None:
    """Find the folder `templates/`: inside the installed package, or next to it in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (
        os.path.join(package, "_data", "templates"),
        os.path.join(os.path.dirname(package), "templates"),
    ):
        if os.path.isdir(folder):
            return folder
    return None


def template_names() -> tuple[str, ...]:
    """List the starter trees that `init --template` knows, `blank` first.

    Each is a folder of `templates/` with an `index.md`.
    """
    folder = templates_dir()
    names: list[str] = []
    if folder is not None:
        try:
            with os.scandir(folder) as entries:
                names = sorted(
                    entry.name
                    for entry in entries
                    if entry.name != BLANK and os.path.isfile(os.path.join(entry.path, "index.md"))
                )
        except OSError:
            names = []
    return (BLANK, *names)


def starter_files(template: str) -> tuple[str, ...]:
    """List the files that a template brings: paths relative to the tree, with `/`, in order.

    Empty for `blank`, and for a template that is not there.
    """
    folder = templates_dir()
    if folder is None or template == BLANK:
        return ()
    source = os.path.join(folder, template)
    found: list[str] = []
    for above, folders, files in os.walk(source):
        folders.sort()
        inside = os.path.relpath(above, source).replace(os.sep, "/")
        prefix = "" if inside == "." else inside + "/"
        found += [prefix + name for name in sorted(files) if not name.startswith(".")]
    return tuple(found)


def init_tree(
    directory: str | None,
    *,
    start: str,
    template: str = BLANK,
    config: str | None = None,
) -> Initialised:
    """Make a tree, or complete the one that is there; nothing that exists is changed.

    Without a template a folder gets `.memtree/` alone: what is a note there is the person's to say.
    With one its files are added where there are none. `config` is the text of a new `config.toml`;
    None lists every setting, commented. Raises
    UsageError for an unknown template, Refused inside another tree (unless the directory is
    named), PathRefused when `.memtree` is a link or a file or the folder's name no text, and
    StorageFailed when the disk refuses.
    """
    if template not in template_names():
        raise UsageError(
            f"there is no template '{template}'",
            hint="templates: " + ", ".join(template_names()),
        )
    root = _nameable(place_for(directory, start=start))
    if directory is None and not is_tree(root):
        around = find_tree(start)
        if around is not None:
            raise Refused(
                f"this folder already belongs to the tree in '{around}'",
                hint="to make a tree inside it, name the folder: memtree init .",
            )
    mark = os.path.join(root, MARK)
    existed = is_tree(root)
    if os.path.islink(mark) or (os.path.lexists(mark) and not os.path.isdir(mark)):
        raise PathRefused(f"'{mark}' is not a folder, so no tree can be made here")
    created: list[str] = []
    try:
        os.makedirs(mark, exist_ok=True)
        _create(root, f"{MARK}/.gitignore", IGNORE, created)
        text = _default_config() if config is None else config
        _create(root, f"{MARK}/config.toml", text.encode(), created)
        if template != BLANK:
            _copy_starter(root, template, created)
    except OSError as error:
        raise StorageFailed(
            f"the tree in '{root}' can't be written: {error.strerror or error}"
        ) from error
    return Initialised(root, created=tuple(created), existed=existed)


def _create(root: str, path: str, data: bytes, created: list[str]) -> None:
    try:
        # "x" is the promise of this module: what exists, be it a dangling link, is left alone.
        with open(os.path.join(root, *path.split("/")), "xb") as file:
            file.write(data)
    except FileExistsError:
        return
    created.append(path)


def _copy_starter(root: str, template: str, created: list[str]) -> None:
    folder = templates_dir()
    if folder is None:
        return
    for path in starter_files(template):
        parts = path.split("/")[:-1]
        above = [os.path.join(root, *parts[: at + 1]) for at in range(len(parts))]
        if any(map(os.path.islink, above)):
            continue  # a link may lead out of the tree
        with open(os.path.join(folder, template, *path.split("/")), "rb") as file:
            data = file.read()
        os.makedirs(os.path.join(root, *parts), exist_ok=True)
        _create(root, path, data, created)


def _default_config() -> str:
    """Write every setting with its default and what it does, commented out."""
    import json

    from memtree.config import SETTINGS, is_personal

    lines = ["# Settings of this tree. Take the # away to change one, or: memtree config set"]
    section = ""
    for name, (default, what) in SETTINGS.items():
        if is_personal(name):
            continue
        here, _, key = name.rpartition(".")
        if here != section:
            lines += ["", f"[{here}]"]
            section = here
        # JSON's strings, numbers, booleans and lists of those are TOML too.
        lines += [f"# {what}", f"# {key} = {json.dumps(default, ensure_ascii=False)}"]
    return "\n".join(lines) + "\n"


def display(root: str) -> str:
    """Shorten the root as a person would type it: relative below the working directory."""
    try:
        relative = os.path.relpath(root)
    except (ValueError, OSError):  # another drive, or no working directory
        return root
    return root if relative.startswith("..") else relative
