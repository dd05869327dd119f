"""The large flat file: thousands of `image` entries from nine hosts to several more."""

from __future__ import annotations

from benchmarks.lab import Registry


def flat_names(source: Registry, target: Registry) -> list[tuple[int, str, str]]:
    """Fill both registries; return number of the source repository, source and target names of 2,500 entries.

    2,400 sources lie in 194 repositories; 100 of them are kept under a second name. 2,500 names in 223 repositories at
    each of three hosts make 7,500 targets in 669 repositories.
    """
    layer = source.store.blob([b"layer"])
    target.store.blob([b"layer"])
    names = []
    for number in range(2500):
        wanted = number % 2400
        origin, kept = f"vendor/repository-{wanted % 194}", f"mirror/repository-{number % 223}"
        for store in (source.store, target.store):
            image = store.image([layer], name=f"image {wanted}")
            repository, tag = (origin, wanted) if store is source.store else (kept, number)
            store.tag(repository, f"1.0.{tag}", image)
        names.append((wanted % 194, f"{origin}:1.0.{wanted}", f"{kept}:1.0.{number}"))
    return names


def flat_pairs(names: list[tuple[int, str, str]], ports: list[int]) -> list[list[str]]:
    """Return sources at nine hosts and targets at all others, each host a port."""
    return [
        [f"127.0.0.1:{ports[number % 9]}/{wanted}", f"127.0.0.1:{ports[9 + host]}/{kept}"]
        for host in range(len(ports) - 9)
        for number, wanted, kept in names
    ]
