"""Sets keys of a configuration that is not validated yet. Imports nothing.

`compile --target airflow` writes this function into the DAG file, which can't import it.
"""


def set_key(tree: dict[str, object], key: str, value: object) -> None:
    """Sets the key with this dotted path, and makes the sections above it.

    A value that stands where a section is needed gives way to one: the validation then names its
    key, what was found and what is allowed.
    """
    *sections, last = key.split(".")
    for name in sections:
        section = tree.get(name)
        if not isinstance(section, dict):
            section = tree[name] = {}
        tree = section
    tree[last] = value
