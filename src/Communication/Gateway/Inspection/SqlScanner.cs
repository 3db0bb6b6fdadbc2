using System.Buffers;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>
/// Finds what would change a statement that a value is put into. The value is read as a database would read it, three
/// times at most: as it stands, and as if it stood in quotes of either sort that it ends by itself; so it is looked for
/// what follows a value, and not for words.
/// </summary>
internal static class SqlScanner
{
    /// <summary>Bytes behind a comment's sign that end a statement: programs put a few letters there.</summary>
    private const int ShortTail = 12;

    public static RuleSet Scan(ReadOnlySpan<byte> text)
    {
        var found = default(RuleSet);
        var room = ArrayPool<SqlToken>.Shared.Rent(text.Length + 2);
        try
        {
            found = Read(text, 0, room);
            if (text.Contains((byte)'\'')) found = found.Or(Read(text, (byte)'\'', room));
            if (text.Contains((byte)'"')) found = found.Or(Read(text, (byte)'"', room));
        }
        finally
        {
            ArrayPool<SqlToken>.Shared.Return(room);
        }
        return found;
    }

    private static RuleSet Read(ReadOnlySpan<byte> text, byte open, SqlToken[] room)
    {
        var count = SqlTokens.Read(text, open, room);
        if (count == 0) return default;
        var reading = new SqlReading(text, room.AsSpan(0, count + 1), open != 0);
        return reading.Judge();
    }

    /// <summary>True for a comment that ends what is before it: nothing comes behind it, or a few letters.</summary>
    public static bool EndsStatement(ReadOnlySpan<byte> text, SqlToken comment)
    {
        var tail = text[(comment.At + 1)..comment.End].TrimStart("-*/ +\n"u8).TrimEnd(" \n"u8);
        return tail.Length <= ShortTail && !tail.Contains((byte)' ');
    }
}

/// <summary>One reading of a value.</summary>
internal ref struct SqlReading(ReadOnlySpan<byte> text, ReadOnlySpan<SqlToken> tokens, bool quoted)
{
    /// <summary>Tokens that an operand is looked for in: a call within a call within a call is an attack by then.
    /// </summary>
    private const int MaxOperand = 64;

    private readonly ReadOnlySpan<byte> text = text;
    private readonly ReadOnlySpan<SqlToken> tokens = tokens; // The last one is the end.
    private RuleSet found;

    // The weaker of two that say the same.
    private static readonly RuleSet InText =
        default(RuleSet).With(Rule.SqlTautologyInText).With(Rule.SqlConditionInText);

    private enum Operand { None, Constant, Column, Call, Query }

    public RuleSet Judge()
    {
        JudgeStart();
        var spaced = false;
        for (var at = 0; at < tokens.Length - 1; at++)
        {
            switch (tokens[at].Kind)
            {
                case Sql.Union when IsUnion(at): Add(Rule.SqlUnion); break;
                case Sql.Select when at > 0 && Kind(at - 1) == Sql.Open && IsSelect(at): Add(Rule.SqlSubquery); break;
                case Sql.Logic: JudgeLogic(at, anchored: false); break;
                case Sql.Semicolon when IsStatement(at + 1): Add(Rule.SqlStacked); break;
                case Sql.Case when IsCase(at): Add(Rule.SqlCase); break;
                case Sql.Time when IsTime(at): Add(Rule.SqlTime); break;
                case Sql.Waitfor when Kind(at + 1) == Sql.Delay && IsText(Kind(at + 2)): Add(Rule.SqlTime); break;
                case Sql.Probe: Add(Rule.SqlFunction); break;
                case Sql.Schema: Add(Rule.SqlSchemaName); break;
                case Sql.ServerVariable: Add(Rule.SqlServerVariable); break;
                case Sql.Procedure: Add(Rule.SqlProcedure); break;
                case Sql.VersionComment: Add(Rule.SqlVersionComment); break;
                case Sql.Into when Kind(at + 1) == Sql.File && IsText(Kind(at + 2)): Add(Rule.SqlIntoFile); break;
                case Sql.Having when IsComparison(at + 1, out _): Add(Rule.SqlOrderProbe); break;
                case Sql.Comment when at > 0 && SqlScanner.EndsStatement(text, tokens[at]):
                    Add(Rule.SqlEndComment);
                    break;
            }
            // Where two keywords have nothing but a comment between them, somebody has something to hide.
            if (at > 0 && IsKeyword(Kind(at)) && IsCommented(tokens[at - 1].End, tokens[at].At)) spaced = true;
        }
        if (spaced) Add(Rule.SqlCommentSpace);
        if (found.Has(Rule.SqlTautology) || found.Has(Rule.SqlCondition)) found = found.Without(InText);
        // By itself it ends nothing.
        if (found == default(RuleSet).With(Rule.SqlEndComment)) found = default;
        return found;
    }

    private void Add(Rule rule) => found = found.With(rule);

    private readonly Sql Kind(int at) => at < tokens.Length ? tokens[at].Kind : Sql.End;

    private static bool IsText(Sql kind) => kind is Sql.Text or Sql.OpenText;

    private static bool IsKeyword(Sql kind) => kind is (>= Sql.Union and <= Sql.Logic) or Sql.Compare;

    private readonly bool IsCommented(int from, int to) =>
        to - from >= 4 && text[from..to].IndexOf("/*"u8) >= 0;

    // What comes right behind the value that a statement expects here.
    private void JudgeStart()
    {
        var at = 0;
        if (quoted) at = 1;
        else
        {
            if (Kind(0) == Sql.Arithmetic) at++; // A sign.
            if (Kind(at) is Sql.Number or Sql.Word or Sql.Text or Sql.Constant) at++;
        }
        var before = at;
        while (Kind(at) == Sql.Close) at++;
        var closed = at > before; // More brackets than it opened.
        switch (Kind(at))
        {
            case Sql.Logic:
                JudgeLogic(at, anchored: true);
                break;
            case Sql.Comment when quoted || closed:
                if (SqlScanner.EndsStatement(text, tokens[at])) Add(Rule.SqlQuoteComment);
                break;
            case Sql.Comment when at > 0 && Kind(at - 1) == Sql.Number && SqlScanner.EndsStatement(text, tokens[at]):
                Add(Rule.SqlNumberComment);
                break;
            case Sql.Semicolon when quoted && Kind(at + 1) == Sql.Comment:
                Add(Rule.SqlQuoteComment);
                break;
            case Sql.Order or Sql.Group when Kind(at + 1) == Sql.By && IsProbe(at + 2, closed):
                Add(Rule.SqlOrderProbe);
                break;
            case Sql.Limit when quoted && Kind(at + 1) == Sql.Number && Kind(at + 2) is Sql.Comment or Sql.Comma:
                Add(Rule.SqlOrderProbe);
                break;
            case Sql.Compare when quoted && IsShortCompare(at):
                Add(Rule.SqlQuoteOperator);
                break;
            case Sql.Arithmetic or Sql.Star when quoted && IsShortSum(at):
                Add(Rule.SqlQuoteOperator);
                break;
        }
        if (quoted && IsKeyword(Kind(at))) Add(Rule.SqlQuoteKeyword);
        if (at == 0 && !quoted) JudgeStatement();
        else if (!quoted && Kind(0) == Sql.Open && Kind(1) == Sql.Select && IsSelect(1)) Add(Rule.SqlSubquery);
    }

    // A whole statement: in a field that takes text it may be what somebody writes about.
    private void JudgeStatement()
    {
        if (!IsStatement(0)) return;
        Add(Rule.SqlStatement);
    }

    private void JudgeLogic(int at, bool anchored)
    {
        if (!IsComparison(at + 1, out var left))
        {
            // Behind a closed quote a condition needs no comparison: ' or 1 --, ' and sleep(5) --.
            var end = EndOf(at + 1, out _);
            if (!anchored) return;
            if (left == Operand.Query || (left == Operand.Call && quoted)) Add(Rule.SqlCondition);
            else if (left == Operand.Constant && !IsText(Kind(end - 1)))
            {
                if (quoted && Kind(end) is Sql.End or Sql.Comment or Sql.Semicolon or Sql.Logic) Add(Rule.SqlTautology);
                else if (Kind(end) == Sql.Comment) Add(Rule.SqlTautology);
            }
            return;
        }
        switch (left)
        {
            case Operand.Constant: Add(anchored ? Rule.SqlTautology : Rule.SqlTautologyInText); break;
            case Operand.Call or Operand.Query: Add(anchored ? Rule.SqlCondition : Rule.SqlConditionInText); break;
            case Operand.Column: Add(anchored && quoted ? Rule.SqlCondition : Rule.SqlConditionInText); break;
        }
    }

    // operand, comparison, operand; behind a quote that was opened again the second may be missing.
    private readonly bool IsComparison(int at, out Operand left)
    {
        at = EndOf(at, out left);
        if (left == Operand.None) return false;
        while (Kind(at) == Sql.Close) at++;
        while (Kind(at) == Sql.Not) at++;
        if (Kind(at) != Sql.Compare) return false;
        while (Kind(at) == Sql.Compare || Kind(at) == Sql.Not) at++;
        EndOf(at, out var right);
        // Words on both sides are prose more often than columns, and so is "is" behind a word.
        if (left == Operand.Column) return right is Operand.Constant or Operand.Call or Operand.Query;
        return right != Operand.None;
    }

    // Behind an operand: a value or a call, and what is added to it.
    private readonly int EndOf(int at, out Operand operand)
    {
        operand = Operand.None;
        var last = Math.Min(tokens.Length - 1, at + MaxOperand);
        while (at < last)
        {
            while (at < last && Kind(at) is Sql.Not or Sql.Open or Sql.Arithmetic)
            {
                if (Kind(at) == Sql.Open && Kind(at + 1) == Sql.Select) break;
                at++;
            }
            var one = Kind(at) switch
            {
                Sql.Number or Sql.Text or Sql.OpenText or Sql.Constant or Sql.Variable or Sql.ServerVariable =>
                    Operand.Constant,
                Sql.Function or Sql.Probe or Sql.Time => Operand.Call,
                Sql.Open or Sql.Select => Operand.Query,
                Sql.Word or Sql.Schema => Operand.Column,
                Sql.Case => Operand.Call,
                _ => Operand.None,
            };
            if (one == Operand.None) return at;
            if (one > operand) operand = one;
            if (one == Operand.Query) return at;
            at = one == Operand.Call ? Behind(at + 1, last) : at + 1;
            // A word before a bracket is a call of a function that is not known.
            if (one == Operand.Column && Kind(at) == Sql.Open)
            {
                operand = Operand.Call;
                at = Behind(at, last);
            }
            if (Kind(at) is not (Sql.Arithmetic or Sql.Star)) return at;
            at++;
        }
        return at;
    }

    // Behind the bracket that closes the one here.
    private readonly int Behind(int at, int last)
    {
        var depth = 0;
        for (; at < last; at++)
        {
            if (Kind(at) == Sql.Open) depth++;
            else if (Kind(at) == Sql.Close && --depth <= 0) return at + 1;
            else if (depth == 0) return at;
        }
        return at;
    }

    private readonly bool IsUnion(int at)
    {
        at++;
        while (Kind(at) is Sql.Modifier or Sql.Open or Sql.VersionComment or Sql.Comment) at++;
        return Kind(at) == Sql.Values ? Kind(at + 1) == Sql.Open : Kind(at) == Sql.Select && IsSelect(at);
    }

    // True when what follows is a list of what is selected, and no sentence.
    private readonly bool IsSelect(int at)
    {
        at++;
        while (Kind(at) is Sql.Modifier or Sql.VersionComment
            || (Kind(at) == Sql.Number && Kind(at - 1) == Sql.Modifier)) at++;
        switch (Kind(at))
        {
            case Sql.Number when Kind(at + 1) is Sql.Word or Sql.Prose: return false; // Select 3 of them.
            case Sql.Number or Sql.Star or Sql.Constant or Sql.Function or Sql.Probe or Sql.Time or Sql.Variable
                or Sql.ServerVariable or Sql.Case or Sql.Arithmetic: return true;
            case Sql.Text or Sql.OpenText: return Kind(at + 1) is not (Sql.Word or Sql.Prose);
            case Sql.Open: return Kind(at + 1) is not (Sql.Word or Sql.Prose);
            case Sql.Word or Sql.Schema or Sql.Object: break;
            default: return false;
        }
        if (Kind(at + 1) == Sql.Open) return true;
        for (var listed = 0; listed < MaxOperand && Kind(at + 1) == Sql.Comma; listed++)
        {
            at += 2;
            if (Kind(at) is Sql.Prose) return false;
        }
        return Kind(at + 1) switch
        {
            Sql.From => Kind(at + 2) is Sql.Word or Sql.Schema or Sql.Open or Sql.Object or Sql.Text
                && Kind(at + 3) is not (Sql.Word or Sql.Prose),
            Sql.Close or Sql.End or Sql.Comment => at > 1 && Kind(at - 1) == Sql.Comma,
            Sql.Logic => text.Slice(tokens[at + 1].At, tokens[at + 1].Length).SequenceEqual("||"u8),
            _ => false,
        };
    }

    // The beginning of a statement that does something.
    private readonly bool IsStatement(int at)
    {
        switch (Kind(at))
        {
            case Sql.Select: return IsSelect(at);
            case Sql.Insert:
                return Kind(at + 1) == Sql.Into && IsName(at + 2) && Kind(at + 3) is Sql.Open or Sql.Values;
            case Sql.Delete: return Kind(at + 1) == Sql.From && IsName(at + 2) && IsOver(at + 3);
            case Sql.Update: return IsName(at + 1) && Kind(at + 2) == Sql.Set && Kind(at + 4) == Sql.Compare;
            case Sql.Drop or Sql.Truncate or Sql.Create or Sql.Alter:
                return Kind(at + 1) == Sql.Object && (IsName(at + 2) || Kind(at + 2) == Sql.Function)
                    && (IsOver(at + 3) || Kind(at + 3) is Sql.Open or Sql.Drop);
            case Sql.Execute: return Kind(at + 1) is Sql.Procedure or Sql.Variable or Sql.Open;
            case Sql.Declare: return Kind(at + 1) == Sql.Variable;
            case Sql.Set: return Kind(at + 1) is Sql.Variable or Sql.ServerVariable;
            case Sql.Shutdown: return Kind(at + 1) is Sql.End or Sql.Comment or Sql.Semicolon;
            case Sql.Waitfor: return Kind(at + 1) == Sql.Delay;
            case Sql.Time: return true;
            case Sql.Procedure: return true;
            case Sql.Word: return Kind(at + 1) == Sql.Text && Kind(at + 2) == Sql.Semicolon;
            default: return false;
        }
    }

    private readonly bool IsName(int at) => Kind(at) is Sql.Word or Sql.Schema or Sql.Text or Sql.Object;

    private readonly bool IsOver(int at) => Kind(at) is Sql.End or Sql.Semicolon or Sql.Comment or Sql.Where;

    private readonly bool IsCase(int at)
    {
        if (Kind(at + 1) != Sql.When) return false;
        var last = Math.Min(tokens.Length, at + MaxOperand);
        for (var next = at + 2; next < last; next++)
            if (Kind(next) == Sql.Then) return Kind(next + 1) is not (Sql.Word or Sql.Prose);
        return false;
    }

    // In a listing of a program it stands between other words; as an attack it is the value, or a part of a condition.
    private readonly bool IsTime(int at) => at == 0
        || Kind(at - 1) is Sql.Logic or Sql.Compare or Sql.Select or Sql.Comma or Sql.Arithmetic or Sql.Not
            or Sql.Star or Sql.Text or Sql.Then or Sql.Modifier
        || (Kind(at - 1) == Sql.Open && at > 1 && Kind(at - 2) is not Sql.Word);

    // order by 3 --, group by a having.
    private readonly bool IsProbe(int at, bool closed)
    {
        if (Kind(at) is not (Sql.Number or Sql.Word)) return false;
        var behind = Kind(at + 1);
        if (behind == Sql.Comma) return Kind(at) == Sql.Number;
        return behind is Sql.Comment or Sql.Having or Sql.Semicolon
            || (behind == Sql.End && (closed || Kind(at) == Sql.Number));
    }

    private readonly bool IsShortCompare(int at)
    {
        var next = Kind(at + 1);
        if (next is Sql.Number or Sql.Function or Sql.Probe or Sql.Open) return true;
        return IsText(next) && tokens[0].Length + tokens[at + 1].Length <= 16;
    }

    private readonly bool IsShortSum(int at)
    {
        var next = Kind(at + 1);
        if (next is Sql.Function or Sql.Probe or Sql.Time) return true;
        if (next == Sql.Open) return Kind(at + 2) is Sql.Select or Sql.Case;
        return IsText(next) && text.Length <= 6;
    }
}
