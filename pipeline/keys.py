"""Sets keys of a configuration that is not validated yet. Imports nothing.

`compile --target airflow` writes both functions into the DAG file, which can't import them.
"""


def set_key(tree: dict[str, object], key: str, value: object) -> None:
    """Sets the key with this dotted path, and makes the sections above it."""
    set_at(tree, key.split("."), value)


def set_at(tree: dict[str, object], path: list[str], value: object) -> None:
    """Sets the key at this path, and makes the sections above it.

    A value that stands where a section is needed gives way to one: the validation then names its
    key, what was found and what is allowed.
    """
    *sections, last = path
    for name in sections:
        section = tree.get(name)
        if not isinstance(section, dict):
            section = tree[name] = {}
        tree = section
    tree[last] = value
