"""Simplified Chinese: year, month, day; digits in threes as on a calculator, not in fours."""

DATE_FORMAT = "Y年n月j日"
DATETIME_FORMAT = "Y年n月j日 H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "n月j日"
WEEKDAY_FORMAT = "Y年n月j日 D"
TODAY_FORMAT = "n月j日 l"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
