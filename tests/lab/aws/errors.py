# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the Amazon MQ API."""

from __future__ import annotations


class ApiError(Exception):
    """An error as the API answers it. *attribute* is the parameter that caused it."""

    def __init__(self, code: str, message: str, attribute: str | None = None) -> None:
        super().__init__(message)
        self.code, self.attribute = code, attribute


def bad_request(message: str, attribute: str | None = None) -> ApiError:
    """400."""
    return ApiError("BadRequestException", message, attribute)


def not_found(message: str, attribute: str | None = None) -> ApiError:
    """404."""
    return ApiError("NotFoundException", message, attribute)


def conflict(message: str, attribute: str | None = None) -> ApiError:
    """409."""
    return ApiError("ConflictException", message, attribute)
