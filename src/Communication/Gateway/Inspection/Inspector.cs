using System.Buffers;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>How a value stands in a request, before it is decoded.</summary>
internal enum Coding
{
    /// <summary>As it is: members of JSON, fields of parts.</summary>
    Plain,

    /// <summary>With the escapes of an address: the path.</summary>
    Escaped,

    /// <summary>The same with <c>+</c> for a blank: queries and forms.</summary>
    Form,

    /// <summary>Like that, with values that mean nothing as paths.</summary>
    Cookie,

    /// <summary>Header fields, which are full of brackets, semicolons and slashes.</summary>
    Field,
}

/// <summary>Says which rules a value meets. Keeps nothing; in memory of its own it has what it decodes into.</summary>
internal static class Inspector
{
    // Without any of these a value is neither of another coding nor anything to a parser; blanks stand between words.
    private static readonly SearchValues<byte> Signs = SearchValues.Create("%+'\"`()<>;|\\$*{}/!#&= \n\r\t\0"u8);

    private static readonly SearchValues<byte> PathSigns = SearchValues.Create("%'\"`()<>;|\\$*{}!\0"u8);

    private static readonly SearchValues<byte> QuerySigns = SearchValues.Create("%+'\"`()<>;|\\$*{}/!#"u8);

    private static readonly SearchValues<byte> CookieSigns = SearchValues.Create("%'\"`()<>|\\$*{}!/ "u8);

    private static readonly SearchValues<byte> FieldSigns = SearchValues.Create("'\"`<\\${|%\0"u8);

    private static readonly SearchValues<byte> SqlSigns = SearchValues.Create("'\"`( \n;=*#|&<>@-"u8);

    private static readonly RuleSet OfSql = InspectionRules.Of(AttackClass.Sql, InspectRules.MaxLevel);
    private static readonly RuleSet OfXss = InspectionRules.Of(AttackClass.Xss, InspectRules.MaxLevel);
    private static readonly RuleSet OfTraversal = InspectionRules.Of(AttackClass.Traversal, InspectRules.MaxLevel);
    private static readonly RuleSet OfCommand = InspectionRules.Of(AttackClass.Command, InspectRules.MaxLevel);

    /// <summary>True for a value that no rule can meet, by a look at its bytes.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> value, Coding coding) => coding switch
    {
        Coding.Escaped => !value.ContainsAny(PathSigns) && value.IndexOf("/."u8) < 0,
        Coding.Cookie => !value.ContainsAny(CookieSigns) && value.IndexOf(".."u8) < 0,
        Coding.Field => !value.ContainsAny(FieldSigns),
        _ => !value.ContainsAny(Signs) && value.IndexOf(".."u8) < 0 && !IsOverlong(value)
            && (value.IsEmpty || value[0] != '.'),
    };

    /// <summary>True for a query in which no value can meet a rule.</summary>
    public static bool IsPlainQuery(ReadOnlySpan<byte> query) =>
        !query.ContainsAny(QuerySigns) && query.IndexOf(".."u8) < 0 && query.IndexOf("=."u8) < 0;

    /// <summary>What it meets of some rules.</summary>
    public static RuleSet Inspect(ReadOnlySpan<byte> value, Coding coding, RuleSet asked)
    {
        if (IsPlain(value, coding)) return default;
        var room = ArrayPool<byte>.Shared.Rent(value.Length);
        try
        {
            var text = room.AsSpan();
            var length = value.Length;
            if (coding is Coding.Escaped or Coding.Form or Coding.Cookie)
                length = ValueDecoder.Unescape(value, text, coding == Coding.Form);
            else value.CopyTo(text);
            var found = default(RuleSet);
            if (ValueDecoder.MayBeEscaped(text[..length])) found = InspectDeeper(text[..length], coding, asked);
            return found.Or(Scan(text[..length], coding, asked)).And(asked);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    // Where it is written in codings over each other, what is at the bottom counts too.
    private static RuleSet InspectDeeper(ReadOnlySpan<byte> once, Coding coding, RuleSet asked)
    {
        var room = ArrayPool<byte>.Shared.Rent(once.Length);
        try
        {
            var text = room.AsSpan(0, once.Length);
            once.CopyTo(text);
            var length = ValueDecoder.UnescapeAll(text);
            return length == once.Length ? default : Scan(text[..length], coding, asked);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static RuleSet Scan(Span<byte> decoded, Coding coding, RuleSet asked)
    {
        var oddity = Oddity.None;
        var text = (ReadOnlySpan<byte>)decoded[..ValueDecoder.Fold(decoded, ref oddity)];
        var found = default(RuleSet);
        if (!asked.And(OfSql).IsEmpty && text.ContainsAny(SqlSigns)) found = SqlScanner.Scan(text);
        if (!asked.And(OfXss).IsEmpty && MarkupScanner.MayHave(text)) found = found.Or(MarkupScanner.Scan(text));
        if (!asked.And(OfTraversal).IsEmpty && (oddity != Oddity.None || PathScanner.MayHave(text)))
            found = found.Or(PathScanner.Scan(text, coding == Coding.Escaped, oddity));
        if (!asked.And(OfCommand).IsEmpty && CommandScanner.MayHave(text))
            found = found.Or(CommandScanner.Scan(text));
        return found;
    }

    private static bool IsOverlong(ReadOnlySpan<byte> value) => value.ContainsAny((byte)0xC0, (byte)0xC1, (byte)0xEF)
        || value.ContainsAny((byte)0xE0, (byte)0xF0) || value.ContainsAny((byte)0xCA, (byte)0xC2);
}
