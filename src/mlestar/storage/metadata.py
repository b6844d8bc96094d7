"""The one registry of tables; each table module adds its own to it."""

from sqlalchemy import MetaData

metadata = MetaData()
