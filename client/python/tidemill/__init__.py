"""Submit jobs to a Tidemill network, follow them, and fetch what they made."""

from .client import Tidemill
from .errors import TidemillError

__all__ = ["Tidemill", "TidemillError"]
