"""prometheus - the text format of Prometheus (version 0.0.4), read strictly: what a scraper might forgive is refused here.

    families(text)["rollcall_jobs"].samples      # [(name, {label: value}, number)]; AssertionError says what is wrong where
"""
import collections
import re

TYPES = ("counter", "gauge", "histogram")
NAME = re.compile(r"[a-z][a-z0-9_]*")
HELP = re.compile(r"(?:[^\\]|\\\\|\\n)+")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(?:,|$)')
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|Inf)|NaN")
Family = collections.namedtuple("Family", "name type help samples")


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, "labels: " + text[at:]
        assert m[1] not in labels and not m[1].startswith("__"), "label twice, or reserved: " + m[1]
        labels[m[1]] = re.sub(r"\\(.)", lambda e: {"n": "\n"}.get(e[1], e[1]), m[2])
        at = m.end()
    assert not text.endswith(","), text
    return labels


def sample_of(line):
    m = SAMPLE.fullmatch(line)
    assert m and NUMBER.fullmatch(m[3]), "sample: " + line
    return m[1], labels_of(m[2] or ""), float(m[3])


def check_histogram(family):
    """Each set of labels: buckets that ascend, the last of them all there is; a sum and a count."""
    series = collections.defaultdict(dict)
    for name, labels, value in family.samples:
        rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        part = name[len(family.name):]
        assert part in ("_bucket", "_sum", "_count") and (part == "_bucket") == ("le" in labels), (name, labels)
        if part == "_bucket":
            series[rest].setdefault(part, []).append((float(labels["le"]), value))
        else:
            series[rest][part] = value
    for labels, parts in series.items():
        assert set(parts) == {"_bucket", "_sum", "_count"}, (family.name, labels, parts)
        bounds, counts = zip(*parts["_bucket"])
        assert all(a < b for a, b in zip(bounds, bounds[1:])) and bounds[-1] == float("inf"), (family.name, labels, bounds)
        assert all(a <= b for a, b in zip(counts, counts[1:])) and counts[-1] == parts["_count"], (family.name, labels, counts)


def check_family(family):
    assert (family.type == "counter") == family.name.endswith("_total"), (family.name, family.type)
    assert not re.search(r"_(bucket|sum|count)$", family.name), family.name
    if family.type == "histogram":
        return check_histogram(family)
    for name, labels, value in family.samples:
        assert name == family.name and not {"le", "quantile"} & set(labels), (family.name, name, labels)
        assert family.type != "counter" or value >= 0, (name, value)
    return None


def families(text):
    """By name. Each has HELP, then TYPE, then all its samples (there may be none), once; no line is anything else."""
    found, seen, lines = {}, set(), text.split("\n")
    assert lines.pop() == "" and lines and "\r" not in text, "the last line does not end, or a line ends with CR"
    while lines:
        helped, typed = lines.pop(0).split(" ", 3), (lines.pop(0) if lines else "").split(" ")
        assert helped[:2] == ["#", "HELP"] and len(helped) == 4 and NAME.fullmatch(helped[2]) and HELP.fullmatch(helped[3]), helped
        assert typed[:3] == ["#", "TYPE", helped[2]] and len(typed) == 4 and typed[3] in TYPES, (helped, typed)
        assert helped[2] not in found, "twice: " + helped[2]
        family = found[helped[2]] = Family(helped[2], typed[3], helped[3], [])
        while lines and not lines[0].startswith("#"):
            name, labels, value = sample_of(lines.pop(0))
            key = (name, tuple(sorted(labels.items())))
            assert key not in seen, "the same series twice: %s" % (key,)
            seen.add(key)
            family.samples.append((name, labels, value))
        check_family(family)
    return found
