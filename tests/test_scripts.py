"""Joining modules into one script: what it makes of the shape it knows, and that it refuses every other."""

import pytest

from playground.scripts import CannotJoin, joined_modules


def joined(**modules: str) -> str:
    return joined_modules("main.js", lambda name: modules[name.removesuffix(".js").replace("-", "_")])


def test_each_module_has_a_scope_and_stands_below_what_it_imports() -> None:
    script = joined(
        main='// Starts all.\nimport "./two-words.js";\nimport { say } from "./one.js";\nsay();\n',
        two_words='import { say, LOUD } from "./one.js";\nsay(LOUD);\n',
        one="// Why.\nexport const LOUD = 1;\nexport async function say(how) {\n  // never mind\n  await how;\n}\n",
    )

    assert script == (
        "const $one = (() => {\nconst LOUD = 1;\nasync function say(how) {\n  await how;\n}\n"
        "return { LOUD, say };\n})();\n"
        "const $two$words = (() => {\nconst { say, LOUD } = $one;\nsay(LOUD);\nreturn {  };\n})();\n"
        "const $main = (() => {\nconst { say } = $one;\nsay();\nreturn {  };\n})();\n"
    )


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(CannotJoin, match="one.js imports itself"):
        joined(main='import "./one.js";', one='import "./two.js";', two='import "./one.js";')


@pytest.mark.parametrize(
    "line",
    [
        'import say from "./one.js";',
        'import * as one from "./one.js";',
        'import { say as tell } from "./one.js";',
        'import "https://elsewhere.example/one.js";',
        "import {",
        'const one = await import("./one.js");',
        "const here = import.meta.url;",
        "export default say;",
        "export { say };",
        "export let said = 0;",
        "export class Said {}",
        'export * from "./one.js";',
        "const page = this;",
        "/* a comment of",
        "const text = `more than",
    ],
)
def test_any_other_shape_is_refused(line: str) -> None:
    with pytest.raises(CannotJoin, match="main.js"):
        joined(main=line, one="")
