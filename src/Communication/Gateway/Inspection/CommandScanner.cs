using System.Buffers;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>
/// Finds what a shell would run, were the text a part of a command: a sign that begins a command, the name of a program
/// behind it, however its letters are quoted, and what looks like its arguments.
/// </summary>
internal static class CommandScanner
{
    /// <summary>Bytes of the name of a program with its path.</summary>
    private const int MaxName = 64;

    private static readonly SearchValues<byte> Gate = SearchValues.Create(";|&`$\n<>(%{"u8);

    private enum Program : byte
    {
        None,

        /// <summary>Says enough by itself.</summary>
        Bare,

        /// <summary>An ordinary word too: it takes arguments that are none.</summary>
        Argued,
    }

    private static readonly WordTable<Program> Programs = new(
        (Program.Bare, "whoami uname ifconfig ipconfig netstat systeminfo tasklist printenv id ls pwd hostname "
            + "reboot poweroff lsb_release getent lsof bash sh zsh ksh dash csh busybox powershell pwsh cmd cmd.exe "
            + "powershell.exe nslookup crontab env ps ss arp mount dmesg lsmod"),
        (Program.Argued, "cat wget curl nc ncat netcat python python2 python3 perl ruby php node lua dig ping ping6 "
            + "traceroute tracert tftp ftp ssh scp sftp telnet socat rm cp mv chmod chown chgrp kill killall pkill "
            + "echo printf sleep touch tee awk gawk sed grep egrep find xargs type dir net tail head more less od xxd "
            + "strings base64 openssl nohup timeout sudo su wmic certutil bitsadmin mshta rundll32 regsvr32 reg sc "
            + "schtasks del copy move attrib icacls start gcc make go java docker kubectl systemctl service exec eval "
            + "source export set unset mkdir rmdir ln tar gzip unzip zip nmap mail sendmail host whois time test "
            + "command builtin expr let read rev sort cut tr wc nl tac paste diff locate which whereis who w last "
            + "finger groups passwd useradd usermod iptables ip route"));

    private static readonly SearchValues<byte> ArgumentBytes = SearchValues.Create("/$*~`\"'{<>|@:\\%"u8);

    public static bool MayHave(ReadOnlySpan<byte> text) => text.ContainsAny(Gate) || text.IndexOf("/bin/"u8) >= 0;

    public static RuleSet Scan(ReadOnlySpan<byte> text)
    {
        var found = default(RuleSet);
        for (var at = 0; at < text.Length; at++)
        {
            var next = text[at..].IndexOfAny(Separators);
            if (next < 0) break;
            at += next;
            found = JudgeSeparator(text, at, found);
        }
        return ScanFixed(text, found);
    }

    private static readonly SearchValues<byte> Separators = SearchValues.Create(";|&`\n$<>%"u8);

    private static RuleSet JudgeSeparator(ReadOnlySpan<byte> text, int at, RuleSet found)
    {
        var one = text[at];
        var next = at + 1 < text.Length ? text[at + 1] : (byte)0;
        if (one == '$' && next != '(') return found;
        if (one is (byte)'<' or (byte)'>' or (byte)'%' && next != '(') return found;
        var start = one is (byte)'$' or (byte)'<' or (byte)'>' or (byte)'%' ? at + 2 : at + 1;
        // A second sign belongs to the first: "||", "&&", "|&".
        while (start < text.Length && text[start] is (byte)' ' or (byte)'|' or (byte)'&' or (byte)'(' or (byte)'{'
            or (byte)'!' or (byte)'\n' && start - at < MaxName) start++;
        var program = ProgramAt(text, start, out var end, out var obscured, out var rooted);
        if (program == Program.None && !rooted) return found;
        var substituted = one is (byte)'`' or (byte)'$' or (byte)'<' or (byte)'>' or (byte)'%';
        var bare = IsOver(text, end);
        var argued = HasArguments(text, end);
        if (obscured && (bare || argued)) found = found.With(Rule.CommandObscured);
        if (!(rooted || argued || (bare && program == Program.Bare)))
            return bare || one != '\n' ? found.With(Rule.CommandWord) : found;
        if (one == '`') return JudgeBackticks(text, at, end, found);
        if (substituted) return found.With(Rule.CommandSubstituted);
        // A list of words between bars or semicolons has names of programs in it by chance: "name;id".
        if (bare && program == Program.Bare && !rooted && !obscured && IsWordBefore(text, at) && next != ' ')
            return found.With(Rule.CommandWord);
        return found.With(Rule.CommandChained);
    }

    // People set commands between backticks when they write about them.
    private static RuleSet JudgeBackticks(ReadOnlySpan<byte> text, int at, int end, RuleSet found)
    {
        var close = text[end..].IndexOf((byte)'`');
        if (close < 0) return found;
        var spoken = (at > 0 && text[at - 1] is (byte)' ' or (byte)'\n' or (byte)'(')
            || (end + close + 1 < text.Length && text[end + close + 1] == ' ');
        return found.With(spoken ? Rule.CommandBackticks : Rule.CommandSubstituted);
    }

    private static bool IsWordBefore(ReadOnlySpan<byte> text, int at)
    {
        var before = text[..at].TrimEnd("|&"u8);
        return before.Length > 0 && char.IsAsciiLetter((char)before[^1]);
    }

    // The name of a program at a place, without what a shell takes out of it.
    private static Program ProgramAt(
        ReadOnlySpan<byte> text, int start, out int end, out bool obscured, out bool rooted)
    {
        Span<byte> name = stackalloc byte[MaxName];
        var length = 0;
        (obscured, rooted) = (false, false);
        var last = Math.Min(text.Length, start + MaxName);
        for (end = start; end < last; end++)
        {
            var one = text[end];
            if (one is (byte)'\'' or (byte)'"' or (byte)'\\' or (byte)'^')
            {
                // Quotes around all of it hide nothing; within, they do.
                obscured |= length > 0 && end + 1 < text.Length && (char.IsAsciiLetterOrDigit((char)text[end + 1])
                    || text[end + 1] == one);
                continue;
            }
            if (one == '$' && end + 1 < text.Length && text[end + 1] is (byte)'@' or (byte)'*' or (byte)'1')
            {
                obscured = true;
                end++;
                continue;
            }
            if (one == '/')
            {
                if (EndsWith(name[..length], "bin"u8)) rooted = true;
                length = 0;
                continue;
            }
            if (one == '?' && rooted) obscured = true;
            else if (!char.IsAsciiLetterOrDigit((char)one) && one is not ((byte)'_' or (byte)'.' or (byte)'?')) break;
            name[length++] = one;
        }
        var word = name[..length];
        if (word.Length > 1 && word[^1] == '.') word = word[..^1];
        rooted &= length > 0;
        return Programs.TryFind(word, out var program) ? program : Program.None;
    }

    private static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> end) => text.EndsWith(end);

    private static bool IsOver(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] == ' ') at++;
        return at >= text.Length || text[at] is (byte)';' or (byte)'|' or (byte)'&' or (byte)')' or (byte)'`'
            or (byte)'\n' or (byte)'#' or (byte)'"' or (byte)'\'' or (byte)'}';
    }

    private static bool HasArguments(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length) return false;
        if (text[at] is (byte)'<' or (byte)'>' or (byte)'$') return true;
        if (text[at] == ',' && at + 1 < text.Length) return text[at + 1] is (byte)'/' or (byte)'-'; // {cat,/etc/x}
        if (text[at] is not ((byte)' ' or (byte)'+')) return false;
        var rest = text[at..Math.Min(text.Length, at + MaxName)].TrimStart(" +"u8);
        if (rest.IsEmpty) return false;
        var end = rest.IndexOfAny(" ;|&)\n"u8);
        var word = end < 0 ? rest : rest[..end];
        if (word.IsEmpty) return false;
        if (word[0] == '-') return word.Length > 1;
        if (word.ContainsAny(ArgumentBytes)) return true;
        var dot = word.IndexOf((byte)'.');
        if (dot > 0 && dot < word.Length - 1) return true; // A file or a host; at the end it ends a sentence.
        // A number ends a command, as in "sleep 5"; in "sleep 8 hours" it does not.
        return !word.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (end < 0 || rest[end] != ' ');
    }

    private static RuleSet ScanFixed(ReadOnlySpan<byte> text, RuleSet found)
    {
        if (Has(text, "() { :"u8) || Has(text, "(){ :"u8) || Has(text, "() {:"u8) || Has(text, "(){:"u8))
            found = found.With(Rule.CommandFunction);
        if (Has(text, "${jndi:"u8) || Has(text, "${${"u8) || Has(text, "${lower:"u8) || Has(text, "${upper:"u8)
            || Has(text, "${env:"u8) || Has(text, "${::-"u8) || Has(text, "${sys:"u8))
            found = found.With(Rule.CommandLookup);
        if (Has(text, "${ifs"u8) || Has(text, "$ifs"u8) || Has(text, "{cat,"u8) || Has(text, "{ls,"u8)
            || Has(text, "{curl,"u8) || Has(text, "{wget,"u8) || Has(text, "%comspec%"u8) || Has(text, "${path:"u8)
            || Has(text, "/???/"u8) || Has(text, "/b??/"u8) || Has(text, "/bi?/"u8) || Has(text, "${home:"u8))
            found = found.With(Rule.CommandObscured);
        if (Has(text, "/dev/tcp/"u8) || Has(text, "/dev/udp/"u8) || Has(text, "2>&1"u8) || Has(text, ">/dev/null"u8)
            || Has(text, "> /dev/null"u8) || Has(text, "0>&1"u8))
            found = found.With(Rule.CommandRedirect);
        if (Has(text, "/bin/sh"u8) || Has(text, "/bin/bash"u8) || Has(text, "/bin/cat"u8) || Has(text, "/bin/ls"u8)
            || Has(text, "/bin/id"u8) || Has(text, "/bin/nc"u8) || Has(text, "/usr/bin/"u8) || Has(text, "cmd.exe"u8)
            || Has(text, "powershell.exe"u8))
        {
            var alone = text.StartsWith("/bin/"u8) || text.StartsWith("/usr/bin/"u8) || text.StartsWith("cmd.exe"u8)
                || text.StartsWith("powershell"u8) || !text.Contains((byte)' ');
            found = found.With(alone || Has(text, " -c "u8) || Has(text, " /c "u8)
                ? Rule.CommandShell : Rule.CommandShellInText);
        }
        return found;
    }

    private static bool Has(ReadOnlySpan<byte> text, ReadOnlySpan<byte> what) => text.IndexOf(what) >= 0;
}
