"""Why a program is not kept for other processes."""


class NotPortableError(Exception):
    """Something has no name or contents that mean the same in every process. The program is traced as ever."""
