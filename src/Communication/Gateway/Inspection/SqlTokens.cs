using System.Buffers;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What a piece of text is to a database.</summary>
internal enum Sql : byte
{
    End,
    Number,

    /// <summary>Text in quotes.</summary>
    Text,

    /// <summary>The same without its end.</summary>
    OpenText,
    Word,

    /// <summary>A word that sentences are full of and statements are not.</summary>
    Prose,
    Constant,
    Variable,
    ServerVariable,
    Function,

    /// <summary>A function that says of the server what no page asks.</summary>
    Probe,
    Time,
    Union,
    Select,
    Modifier,
    From,
    Where,
    Order,
    Group,
    By,
    Having,
    Limit,
    Into,
    File,
    Insert,
    Update,
    Delete,
    Drop,
    Create,
    Alter,
    Truncate,
    Execute,
    Declare,
    Shutdown,
    Waitfor,
    Delay,
    Set,
    Values,
    Object,
    Case,
    When,
    Then,
    Logic,
    Not,
    Compare,
    Arithmetic,
    Star,
    Open,
    Close,
    Comma,
    Semicolon,
    Comment,

    /// <summary>A comment that a database runs.</summary>
    VersionComment,
    Schema,
    Procedure,
    Other,
}

/// <summary>A token and where it stands.</summary>
internal readonly record struct SqlToken(Sql Kind, int At, int Length)
{
    public int End => At + Length;
}

/// <summary>Reads text as SQL, in one pass. The text is in the form of <see cref="ValueDecoder.Fold"/>.</summary>
internal static class SqlTokens
{
    private static readonly SearchValues<byte> WordBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_$"u8);

    private static readonly WordTable<Sql> Words = new(
        (Sql.Union, "union intersect except minus"),
        (Sql.Select, "select"),
        (Sql.Modifier, "all distinct distinctrow top unique"),
        (Sql.From, "from"),
        (Sql.Where, "where"),
        (Sql.Order, "order"),
        (Sql.Group, "group"),
        (Sql.By, "by"),
        (Sql.Having, "having"),
        (Sql.Limit, "limit offset fetch"),
        (Sql.Into, "into"),
        (Sql.File, "outfile dumpfile"),
        (Sql.Insert, "insert replace"),
        (Sql.Update, "update"),
        (Sql.Delete, "delete"),
        (Sql.Drop, "drop"),
        (Sql.Create, "create"),
        (Sql.Alter, "alter"),
        (Sql.Truncate, "truncate"),
        (Sql.Execute, "exec execute"),
        (Sql.Declare, "declare"),
        (Sql.Shutdown, "shutdown"),
        (Sql.Waitfor, "waitfor"),
        (Sql.Delay, "delay"),
        (Sql.Set, "set"),
        (Sql.Values, "values"),
        (Sql.Object, "table database schema view index trigger procedure function login column role"),
        (Sql.Case, "case"),
        (Sql.When, "when"),
        (Sql.Then, "then"),
        (Sql.Logic, "and or xor"),
        (Sql.Not, "not"),
        (Sql.Compare, "like rlike regexp glob ilike between in is similar sounds"),
        (Sql.Arithmetic, "div mod"),
        (Sql.Constant, "null true false current_user session_user system_user current_timestamp rownum"),
        (Sql.Prose, "the a an this that these those your our my their his her its it we you they i he she what which "
            + "who how why there here some any every no one please with without for to of on at as but if so be are "
            + "was were been have has had will would can could should may might must do does did both either neither "
            + "more less than about also only just very most many much"),
        (Sql.Schema, "information_schema pg_catalog sysobjects syscolumns sysdatabases sqlite_master sqlite_schema "
            + "sqlite_temp_master pg_user pg_shadow pg_class pg_tables all_tables all_tab_columns user_tables "
            + "user_tab_columns dba_users msysobjects v$version performance_schema innodb_table_stats sysibm syscat"),
        (Sql.Procedure, "xp_cmdshell xp_dirtree xp_fileexist xp_regread sp_executesql sp_password sp_oacreate "
            + "sp_configure openrowset opendatasource utl_http utl_inaddr utl_smtp utl_file dbms_pipe dbms_lock "
            + "dbms_java dbms_xmlgen dbms_ldap dbms_utility ctxsys httpuritype analyse"));

    private static readonly WordTable<Sql> Functions = new(
        (Sql.Time, "sleep pg_sleep benchmark randomblob zeroblob receive_message"),
        (Sql.Probe, "extractvalue updatexml load_file load_extension group_concat string_agg pg_read_file pg_ls_dir "
            + "query_to_xml gtid_subset gtid_subtract sqlite_version db_name suser_name suser_sname object_id "
            + "name_const current_database xmltype lo_import procedure_analyse current_setting database "
            + "inet_server_addr json_keys make_set elt fn_xe_file_target_read_file system_user session_user"),
        (Sql.Function, "ascii substring substr mid left right length len char_length char chr nchar unhex hex concat "
            + "concat_ws count cast convert try_convert coalesce ifnull isnull nvl nullif if iif version user schema "
            + "current_user ord instr locate position bin floor ceil rand random exp row field greatest least "
            + "quote upper lower ucase lcase trim ltrim rtrim exists user_name host_name polygon geometrycollection "
            + "multipoint linestring multilinestring xpath bitand unicode typeof total min max sum avg abs round "
            + "to_char to_number to_date decode replace reverse space stuff md5 sha1 sha2 like glob date now "
            + "sysdate strcmp json_extract json_value any some uid printf quotename encode power sqrt pow"));

    /// <summary>Reads it.</summary>
    /// <param name="open">The quote within which the text stands; 0: it stands for itself.</param>
    /// <param name="tokens">Room for as many tokens as the text has bytes, and one more.</param>
    /// <returns>Tokens; behind them is one <see cref="Sql.End"/>.</returns>
    public static int Read(ReadOnlySpan<byte> text, byte open, Span<SqlToken> tokens)
    {
        var (at, count) = (0, 0);
        if (open != 0)
        {
            var length = QuotedLength(text, open);
            tokens[count++] = new SqlToken(length < 0 ? Sql.OpenText : Sql.Text, 0, length < 0 ? text.Length : length);
            at = tokens[0].End;
        }
        while (at < text.Length)
        {
            if (text[at] is (byte)' ' or (byte)'\n')
            {
                at++;
                continue;
            }
            var token = Next(text, at);
            if (token.Kind != Sql.End) tokens[count++] = token; // A comment in the middle is a blank.
            at = token.End;
        }
        tokens[count] = new SqlToken(Sql.End, text.Length, 0);
        return count;
    }

    private static SqlToken Next(ReadOnlySpan<byte> text, int at)
    {
        var one = text[at];
        var next = at + 1 < text.Length ? text[at + 1] : (byte)0;
        switch (one)
        {
            case (byte)'\'' or (byte)'"' or (byte)'`': return Quoted(text, at);
            case (byte)'(': return new(Sql.Open, at, 1);
            case (byte)')': return new(Sql.Close, at, 1);
            case (byte)',': return new(Sql.Comma, at, 1);
            case (byte)';': return new(Sql.Semicolon, at, 1);
            case (byte)'*': return new(Sql.Star, at, 1);
            case (byte)'#': return LineComment(text, at);
            case (byte)'-' when next == '-': return LineComment(text, at);
            case (byte)'/' when next == '*': return Comment(text, at);
            case (byte)'|' when next == '|': return new(Sql.Logic, at, 2);
            case (byte)'&' when next == '&': return new(Sql.Logic, at, 2);
            case (byte)'!' when next != '=': return new(Sql.Not, at, 1);
            case (byte)'=' or (byte)'<' or (byte)'>' or (byte)'!':
                return new(Sql.Compare, at, CompareLength(text[at..]));
            case (byte)'+' or (byte)'-' or (byte)'/' or (byte)'%' or (byte)'^' or (byte)'~' or (byte)'|' or (byte)'&':
                return new(Sql.Arithmetic, at, 1);
            case (byte)'@': return Variable(text, at);
            case >= (byte)'0' and <= (byte)'9': return Number(text, at);
            case (byte)'.' when char.IsAsciiDigit((char)next): return Number(text, at);
            default: return one >= 0x80 || WordBytes.Contains(one) ? Word(text, at) : new(Sql.Other, at, 1);
        }
    }

    // Up to and with the closing quote; a doubled one is none. -1: it never closes.
    private static int QuotedLength(ReadOnlySpan<byte> text, byte quote)
    {
        for (var at = 0; ;)
        {
            var found = text[at..].IndexOf(quote);
            if (found < 0) return -1;
            at += found + 1;
            if (at >= text.Length || text[at] != quote) return at;
            if (at + 1 >= text.Length) return at; // Two at the very end: the text is over with the first.
            at++;
        }
    }

    private static SqlToken Quoted(ReadOnlySpan<byte> text, int at)
    {
        var length = QuotedLength(text[(at + 1)..], text[at]);
        return length < 0 ? new(Sql.OpenText, at, text.Length - at) : new(Sql.Text, at, length + 1);
    }

    // At most three: <=>.
    private static int CompareLength(ReadOnlySpan<byte> text)
    {
        var length = 1;
        while (length < Math.Min(3, text.Length) && text[length] is (byte)'=' or (byte)'>') length++;
        return length;
    }

    private static SqlToken LineComment(ReadOnlySpan<byte> text, int at)
    {
        var end = text[at..].IndexOf((byte)'\n');
        return new(Sql.Comment, at, end < 0 ? text.Length - at : end);
    }

    private static SqlToken Comment(ReadOnlySpan<byte> text, int at)
    {
        // What a version of MySQL runs, and others pass over: /*!50000 union */.
        if (at + 3 < text.Length && text[at + 2] == '!')
        {
            var digits = text[(at + 3)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits is 5 or 6) return new(Sql.VersionComment, at, 3 + digits);
            // Only a word is looked at: a comment that began here could begin another, without end.
            if (digits == 0 && WordLength(text[(at + 3)..]) is > 0 and var length
                && Words.TryFind(text.Slice(at + 3, length), out var kind)
                && kind is (>= Sql.Union and <= Sql.Then) or Sql.Logic) return new(Sql.VersionComment, at, 3);
        }
        var end = text[(at + 2)..].IndexOf("*/"u8);
        return end < 0
            ? new(Sql.Comment, at, text.Length - at)
            : new(Sql.End, at, end + 4);
    }

    private static SqlToken Variable(ReadOnlySpan<byte> text, int at)
    {
        var server = at + 1 < text.Length && text[at + 1] == '@';
        var start = at + (server ? 2 : 1);
        var length = WordLength(text[start..]);
        if (length == 0) return new(Sql.Other, at, 1);
        return new(server ? Sql.ServerVariable : Sql.Variable, at, start - at + length);
    }

    private static SqlToken Number(ReadOnlySpan<byte> text, int at)
    {
        var end = at;
        if (text[at] == '0' && at + 2 < text.Length && text[at + 1] == 'x')
        {
            end = at + 2;
            while (end < text.Length && char.IsAsciiHexDigit((char)text[end])) end++;
            return new(Sql.Number, at, end - at);
        }
        while (end < text.Length && (char.IsAsciiDigit((char)text[end]) || text[end] == '.')) end++;
        if (end + 1 < text.Length && text[end] == 'e' && char.IsAsciiDigit((char)text[end + 1]))
        {
            end++;
            while (end < text.Length && char.IsAsciiDigit((char)text[end])) end++;
        }
        return new(Sql.Number, at, end - at);
    }

    private static int WordLength(ReadOnlySpan<byte> text)
    {
        var length = 0;
        while (length < text.Length && (text[length] >= 0x80 || WordBytes.Contains(text[length]))) length++;
        return length;
    }

    private static SqlToken Word(ReadOnlySpan<byte> text, int at)
    {
        var length = WordLength(text[at..]);
        var first = text.Slice(at, length);
        var end = at + length;
        var dotted = false;
        while (end + 1 < text.Length && text[end] == '.' && WordLength(text[(end + 1)..]) is > 0 and var more)
        {
            dotted = true;
            end += 1 + more;
        }
        if (Words.TryFind(first, out var kind) && (!dotted || kind is Sql.Schema or Sql.Procedure))
            return Opens(text, at + length) && Functions.TryFind(first, out var called)
                ? new(called, at, length)
                : new(kind, at, dotted ? end - at : length);
        if (dotted) return new(Sql.Word, at, end - at);
        return Opens(text, end) && Functions.TryFind(first, out var function)
            ? new(function, at, length)
            : new(Sql.Word, at, length);
    }

    private static bool Opens(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\n') at++;
        return at < text.Length && text[at] == '(';
    }
}
