"""Every setting, declared once, with its unit in its name.

Each is an environment variable with the prefix `MLESTAR_`, e.g. `MLESTAR_DATA_DIR`; command-line options win over them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class TokenGrant(BaseModel):
    """What one HTTP token opens. Only the token's SHA-256 is kept."""

    name: str = Field(description="Shown in the audit log.")
    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}$", description="Of the token; `mlestar token` makes both.")
    workspaces: tuple[str, ...] = Field(default=("*",), description="`*` means every one.")
    read_only: bool = False


class Settings(BaseSettings):
    """What one server process is configured with."""

    model_config = SettingsConfigDict(env_prefix="MLESTAR_", frozen=True, hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("mlestar", appauthor=False),
        description="Folder of everything that is kept: database, artifacts, logs.",
    )
    database_url: str = Field(
        default="",
        description="Empty = SQLite in the data folder; postgresql://user:password@host/database for several servers.",
    )
    artifacts: str = Field(
        default="",
        description="Empty = the data folder; an fsspec address (`s3://bucket/folder`, `gs://...`, `file:///shared`) "
        "through which servers and workers on several machines hand on what runs make.",
    )
    roots: tuple[Path, ...] = Field(
        default=(), description="Folders that tools may read (JSON list). Nothing outside them is opened."
    )
    encoding: Literal["o200k_base", "cl100k_base"] = Field(
        default="o200k_base", description="Tokenizer vocabulary that windows are counted with."
    )
    tokens: tuple[TokenGrant, ...] = Field(
        default=(), description="HTTP tokens by SHA-256 (JSON list of name, sha256, workspaces, read_only)."
    )
    oauth_issuer: str = Field(
        default="", pattern=r"^(https?://.+)?$", description="Authorization server whose access tokens open HTTP."
    )
    oauth_resource: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="This server's own address (https://.../mcp): the audience that a token must name.",
    )
    oauth_jwks: str = Field(
        default="", description="The issuer's public keys: a JWK set file, or the https address of one."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names beside the listening address that HTTP answers for (JSON list)."
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Web origins that may call the REST API from a browser (JSON list)."
    )
    max_concurrent_requests: int = Field(default=256, ge=1, description="HTTP requests at once; more get 503.")
    max_requests_per_minute: int = Field(
        default=6000, ge=1, description="HTTP requests a caller a minute; more get 429."
    )
    window_cap_tokens: int = Field(default=4000, ge=256, le=16000, description="Capacity of one context window.")
    max_file_mb: int = Field(default=512, ge=1, description="Largest data file that is read, in MiB.")
    max_rows: int = Field(default=2_000_000, ge=1, description="Most rows read from one data file.")
    alert_overall_below: float = Field(default=70.0, ge=0, le=100, description="An overall score below this alerts.")
    alert_dimension_below: float = Field(default=60.0, ge=0, le=100, description="A dimension below this alerts.")
    alert_failed_runs: int = Field(default=1, ge=1, le=50, description="So many newest runs, all failed, alert.")
    alert_window_entries: int = Field(
        default=1, ge=1, description="So many important entries without room in their window alert."
    )
    alert_partial_drift: bool = Field(default=True, description="Partial drift of the inputs alerts, not only a fail.")
    webhook_url: str = Field(
        default="", pattern=r"^(https?://.+)?$", description="Where alerts are posted; empty = nowhere."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Signs what is posted (Standard Webhooks; `whsec_` and base64, or any text)."
    )
    worker_memory_mb: int = Field(
        default=0, ge=0, description="Private memory of one run's worker, in MiB; 0 = no limit."
    )
    cluster: str = Field(
        default="",
        pattern=r"^((dask|ray)://.+)?$",
        description="Empty = a run fits in its own process; joblib spreads the fits over the cluster at "
        "`dask://host:8786`, `ray://host:10001`, or `ray://auto` (the one of this machine).",
    )
    supervisor_idle_s: float = Field(default=60.0, gt=0, description="After so long without a run the supervisor ends.")

    @field_validator("database_url")
    @classmethod
    def _with_the_driver_that_is_here(cls, url: str) -> str:
        """`postgresql://`, as everybody writes it, means the driver that is installed with this package."""
        kind, separator, rest = url.partition("://")
        if kind in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        if url and (not separator or kind not in {"sqlite", "postgresql+psycopg"}):
            raise ValueError("the database is sqlite:///path or postgresql://user:password@host/database")
        return url

    @field_validator("artifacts")
    @classmethod
    def _an_address_that_others_reach(cls, address: str) -> str:
        protocol, separator, rest = address.partition("://")
        if address and (not separator or not rest or protocol == "memory" or "::" in address):
            raise ValueError("the artifact store is an fsspec address: s3://bucket/folder, gs://..., file:///shared")
        return address.rstrip("/")

    @property
    def resolved_database_url(self) -> str:
        """The database that is really used: the given one, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'mlestar.db'}"
