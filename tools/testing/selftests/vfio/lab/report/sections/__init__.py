# SPDX-License-Identifier: GPL-2.0
"""The sections of the page of make report: each reads the results of one command."""
