"""Parse patterns in English: "every Monday, Wednesday", "monthly on the last Friday", "weekly for 10 weeks"."""

from datetime import date, time
from zoneinfo import ZoneInfo

from worker.calendars.ethiopian import EthiopianDate, to_gregorian
from worker.errors import InvalidInput
from worker.recurrence.phrase_tokens import UNDERSTOOD, Token, TokenKind, tokenize
from worker.recurrence.rrule_text import LONGEST_TEXT
from worker.recurrence.rule import Rule, parse_rule, rscale_of
from worker.recurrence.rule_builder import RuleBuilder

_LINKS = ("and", "the", "on")


def is_rule_text(text: str) -> bool:
    """Whether a pattern is an RRULE value rather than a phrase."""
    return "=" in text


def parse_phrase(
    text: str,
    first_day: date,
    *,
    calendar: str = "gregorian",
    zone: ZoneInfo | None = None,
    start_time: time = time.min,
) -> Rule:
    """The rule of a pattern, which is an English phrase or an RRULE value (then `zone` as in `parse_rule`).

    What a phrase leaves open is taken from `first_day`: "weekly" is on its weekday, "for 10 weeks" ends 70 days after.
    In the calendar "ethiopian", months, years and days of the month are Ethiopian. Raises InvalidInput with the unknown
    word and the accepted ones.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"The pattern is longer than {LONGEST_TEXT} characters.")
    if is_rule_text(text):
        return parse_rule(text, zone=zone, start_time=start_time)
    words = tokenize(text)
    if not words:
        raise InvalidInput(f"The pattern is empty. {UNDERSTOOD}")
    reader = _PhraseParser(words, RuleBuilder(first_day, rscale_of(calendar)))
    return reader.read()


class _PhraseParser:
    """Reads the tokens once, from left to right, and sets the parts of a rule builder."""

    def __init__(self, words: list[Token], draft: RuleBuilder) -> None:
        self._words = words
        self._next = 0
        self._draft = draft

    def read(self) -> Rule:
        readers = {
            TokenKind.WEEKDAY: self._weekday,
            TokenKind.MONTH: self._month,
            TokenKind.ETHIOPIAN_MONTH: self._month,
            TokenKind.NUMBER: self._numbered,
            TokenKind.ORDINAL: self._numbered,
            TokenKind.DAYS: lambda word: self._draft.days.extend((0, day) for day in word.days),
            TokenKind.FREQUENCY: lambda word: self._draft.repeat(word.freq, word.number),
            TokenKind.UNIT: self._unit,
            TokenKind.WORD: self._link,
            TokenKind.DATE: self._unexpected,
        }
        while self._next < len(self._words):
            word = self._take()
            readers[word.kind](word)
        return self._draft.rule()

    # --- the words ahead

    def _peek(self, ahead: int = 0) -> Token:
        place = self._next + ahead
        return self._words[place] if place < len(self._words) else Token("", TokenKind.WORD)

    def _take(self) -> Token:
        self._next += 1
        return self._words[self._next - 1]

    def _skip(self, *links: str) -> bool:
        """Skip these words; returns whether there was any."""
        before = self._next
        while self._peek().kind is TokenKind.WORD and self._peek().said in links:
            self._next += 1
        return self._next > before

    def _unexpected(self, word: Token) -> None:
        where = f"“{word.text}” was not understood where it stands." if word.text else "The pattern stops too early."
        raise InvalidInput(f"{where} {UNDERSTOOD}")

    # --- what they say

    def _link(self, word: Token) -> None:
        match word.said:
            case "every":
                self._every()
            case "of" | "in":
                self._of()
            case "until":
                self._until()
            case "for":
                self._for()
            case "and" | "on" | "the":
                pass
            case "from" if self._peek().kind in (TokenKind.WEEKDAY, TokenKind.MONTH, TokenKind.ETHIOPIAN_MONTH):
                pass
            case _:
                self._unexpected(word)

    def _every(self) -> None:
        if self._skip("other"):
            self._repeat(2)
        elif self._peek().kind is TokenKind.NUMBER:
            self._repeat(self._take().number)
        elif self._peek().kind is TokenKind.ORDINAL:
            self._every_ordinal(self._take())
        elif self._peek().freq == "DAILY" and self._peek(1).kind is TokenKind.NUMBER and self._peek(2).said != "times":
            self._unit(self._take())
        elif self._peek().kind is TokenKind.UNIT:
            self._repeat(1)

    def _repeat(self, interval: int) -> None:
        """Every 2 weeks, every other Friday."""
        word = self._peek()
        if word.kind is TokenKind.UNIT:
            self._draft.repeat(self._take().freq, interval)
        elif word.kind is TokenKind.WEEKDAY and interval == 2 and self._peek(-1).said == "other":
            self._draft.repeat("WEEKLY", interval)
        else:
            self._unexpected(word)

    def _every_ordinal(self, word: Token) -> None:
        """Every second week; every last Friday; but "every second Friday" is ambiguous: fortnightly or monthly."""
        ahead = self._peek()
        of_a_month = any(each.said == "of" for each in self._words[self._next :]) or self._draft.freq == "MONTHLY"
        if ahead.kind is TokenKind.UNIT and not of_a_month and word.number > 0:
            self._draft.repeat(self._take().freq, word.number)
        elif ahead.kind is TokenKind.WEEKDAY and not of_a_month and word.number > 1:
            raise InvalidInput(
                f"“every {word.text} {ahead.text}” can be read in two ways: say “every {word.number} weeks on "
                f"{ahead.text}” or “monthly on the {word.text} {ahead.text}”."
            )
        else:
            self._numbered(word)

    def _of(self) -> None:
        """Of the month, of each year; anything else that follows is parsed on its own."""
        ahead = 1 if self._peek().said in ("the", "every") else 0
        if self._peek(ahead).kind is TokenKind.UNIT:
            self._next += ahead
            unit = self._take()
            self._draft.repeat(unit.freq, self._draft.interval or 1)
            self._draft.of_the_year = unit.freq == "YEARLY"

    def _weekday(self, word: Token) -> None:
        for day in self._through(word, 0, 7):
            self._draft.days.append((0, day))

    def _month(self, word: Token) -> None:
        rscale = "ETHIOPIC" if word.kind is TokenKind.ETHIOPIAN_MONTH else "GREGORIAN"
        if rscale != self._draft.rscale and (rscale == "GREGORIAN" or self._draft.months):
            raise InvalidInput(f"“{word.text}” is a month of another calendar than the pattern is in.")
        self._draft.rscale = rscale
        self._draft.months.extend(self._through(word, 1, 13 if rscale == "ETHIOPIC" else 12))

    def _through(self, word: Token, lowest: int, size: int) -> list[int]:
        """The number of the word, or a range from it to another: Monday to Friday, November to January."""
        if self._peek().said != "to" or self._peek(1).kind is not word.kind:
            return [word.number]
        self._take()
        length = (self._take().number - word.number) % size + 1
        return [lowest + (word.number - lowest + each) % size for each in range(length)]

    def _numbered(self, word: Token) -> None:
        """10 times; the 1st and 15th; the last day; the first and third Monday; the last weekday."""
        if self._skip("times"):
            self._draft.end(count=word.number)
            return
        numbers = [word.number, *self._further_numbers()]
        ahead = self._peek()
        if ahead.kind is TokenKind.WEEKDAY:
            weekday = self._take().number
            self._draft.days.extend((number, weekday) for number in numbers)
        elif ahead.kind is TokenKind.DAYS and len(numbers) == 1 and self._draft.set_pos is None:
            self._draft.days.extend((0, day) for day in self._take().days)
            self._draft.set_pos = numbers[0]
        else:
            if ahead.kind is TokenKind.UNIT and ahead.freq == "DAILY":
                self._take()
            elif -1 in numbers:
                self._unexpected(ahead if ahead.text else word)
            self._draft.month_days.extend(numbers)

    def _further_numbers(self) -> list[int]:
        found: list[int] = []
        while True:
            before = self._next
            linked = self._skip(*_LINKS)
            is_number = self._peek().kind in (TokenKind.NUMBER, TokenKind.ORDINAL)
            if not linked or not is_number or self._peek(1).said == "times":
                self._next = before
                return found
            found.append(self._take().number)

    def _unit(self, word: Token) -> None:
        """Day 15 of the month."""
        if word.freq != "DAILY" or self._peek().kind is not TokenKind.NUMBER:
            self._unexpected(word)
        self._draft.month_days.append(self._take().number)

    def _until(self) -> None:
        self._skip("the", "on")
        word = self._take() if self._peek().text else self._peek()
        self._draft.end(until=word.day if word.kind is TokenKind.DATE else self._spelled_date(word))

    def _spelled_date(self, word: Token) -> date:
        """31 January 2027, the 31st of January 2027, January 31, 2027; 5 Meskerem 2019."""
        self._skip("of")
        parts = [word, self._peek()]
        self._next += 1
        self._skip("and")
        year = self._peek()
        self._next += 1
        parts.sort(key=lambda part: part.kind not in (TokenKind.NUMBER, TokenKind.ORDINAL))
        day, month = parts
        known = day.kind in (TokenKind.NUMBER, TokenKind.ORDINAL) and month.kind in (
            TokenKind.MONTH,
            TokenKind.ETHIOPIAN_MONTH,
        )
        if not known or year.kind is not TokenKind.NUMBER:
            raise InvalidInput("After “until” comes a day: “2027-01-31” or “31 January 2027”.")
        try:
            if month.kind is TokenKind.ETHIOPIAN_MONTH:
                return to_gregorian(EthiopianDate(year.number, month.number, day.number))
            return date(year.number, month.number, day.number)
        except ValueError as error:
            raise InvalidInput(f"There is no day {day.text} {month.text} {year.text}.") from error

    def _for(self) -> None:
        self._skip("the", "next")
        number = self._peek()
        if number.kind is not TokenKind.NUMBER:
            self._unexpected(number)
        self._take()
        if self._peek().kind is TokenKind.UNIT:
            self._draft.span(number.number, self._take().freq)
        elif not self._skip("times"):
            self._unexpected(self._peek())
        else:
            self._draft.end(count=number.number)
