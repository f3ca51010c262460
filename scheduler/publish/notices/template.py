"""Turn content into a page, with the built-in template or a command centre's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scheduler.errors import CannotRunError

ASSETS = Path(__file__).parent / "assets"
OWN, BUILT_IN = "notice.html", "default.html"
"""A folder's ``notice.html`` may begin with ``{% extends "default.html" %}``."""
FAILURES = ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError
"""What an expression of a template may raise: it is a small program of the user's."""


class Templates:
    """The template of each district: from its own folder, the folder for all, or built in."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not any(folder.glob(f"**/{OWN}")):
            raise CannotRunError(
                f"Expected {OWN} in the template folder {folder}, found none",
                hint=f"Put it there, or into a folder there that has a district's name; {OWN} may "
                f'begin with {{% extends "{BUILT_IN}" %}}.',
            )
        self.folder = folder
        self._known: dict[str, Template] = {}

    def render(self, district: str, content: dict[str, Any]) -> bytes:
        """Return a notice as UTF-8.

        Raises
        ------
        CannotRunError
            When a template is wrong: with its file, line and what Jinja2 says.
        """
        try:
            if district not in self._known:
                self._known[district] = self._template(district)
            return self._known[district].render(content).encode()
        except TemplateSyntaxError as error:
            place = f"{error.filename or error.name}:{error.lineno}"
            raise CannotRunError(f"The template is wrong: {place}: {error.message}") from None
        except UnicodeDecodeError as error:
            raise CannotRunError(
                f"Expected templates in UTF-8 in {self.folder}, got: {error}"
            ) from None
        except (TemplateError, *FAILURES) as error:
            name = self._known[district].filename if district in self._known else OWN
            raise CannotRunError(f"The template cannot be used: {name}: {error}") from None

    def _template(self, district: str) -> Template:
        own = [] if self.folder is None else [self.folder / district, self.folder]
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader([*own, ASSETS]), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        return environment.select_template([OWN, BUILT_IN])
