namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Finds what leads out of a folder, and the files that people look for then.</summary>
internal static class PathScanner
{
    /// <summary>Files whose names say what somebody wants, wherever they stand in a path.</summary>
    private static readonly byte[][] SystemFiles = Bytes(
        "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/etc/issue", "/etc/sudoers", "/etc/crontab",
        "/etc/ssh/", "/etc/apache2/", "/etc/nginx/", "/etc/httpd/", "/etc/mysql/", "/etc/php", "/etc/resolv.conf",
        "/proc/self/", "/proc/version", "/proc/cpuinfo", "/proc/1/", "/proc/net/", "/var/log/", "/var/run/secrets",
        "/var/spool/cron", "/root/.", "/home/*/.ssh", "/dev/tcp/", "win.ini", "boot.ini", "system.ini", "php.ini",
        "windows/system32", "winnt/system32", "windows/repair", "inetpub/logs", "web-inf/", "meta-inf/manifest",
        "windows/win.ini", "windows/debug", "config/sam", "autoexec.bat", "ntuser.dat");

    /// <summary>What servers keep beside their pages and nobody asks for.</summary>
    private static readonly byte[][] HiddenFiles = Bytes(
        "/.git/", "/.svn/", "/.hg/", "/.env", "/.htaccess", "/.htpasswd", "/.ssh/", "/.aws/", "/.bash_history",
        "/.bashrc", "/.npmrc", "/.netrc", "/.docker/", "/.kube/", "/.dockercfg", "/.pgpass", "/.mysql_history",
        "id_rsa", "wp-config.php", "web.config", "/.ds_store", "config.php.bak", "/.gnupg/", "/.profile");

    private static readonly byte[][] Wrappers = Bytes(
        "php://", "phar://", "expect://", "zip://", "glob://", "ogg://", "compress.zlib://", "file:///", "file://c:",
        "data://text", "jar:file:", "jar:http", "netdoc:", "gopher://", "dict://", "ldap://", "tftp://", "ssh2.");

    /// <summary>What ends the names of files that hold something worth having.</summary>
    private static readonly byte[][] Endings = Bytes(
        ".php", ".ini", ".conf", ".cfg", ".config", ".env", ".log", ".key", ".pem", ".bak", ".sql", ".yml", ".yaml",
        ".xml", ".properties", ".passwd", ".db", ".sqlite", ".sh", ".py", ".rb", ".jsp", ".asp", ".aspx", ".inc",
        ".old", "/passwd", "/shadow", "/secrets", "/secret", "/config", "/credentials", ".json", ".txt", ".dat", ".war",
        ".htm");

    public static bool MayHave(ReadOnlySpan<byte> text) =>
        text.ContainsAny((byte)'/', (byte)'\\') || text.IndexOf(".."u8) >= 0
        || text.IndexOf(".ini"u8) >= 0 || text.IndexOf("id_rsa"u8) >= 0 || text.IndexOf(".conf"u8) >= 0
        || (text.Length > 1 && text[0] == '.') || text.IndexOf("wp-config"u8) >= 0;

    /// <param name="isPath">True for the path of the request: its own beginning is a slash.</param>
    public static RuleSet Scan(ReadOnlySpan<byte> text, bool isPath, Oddity oddity)
    {
        var found = default(RuleSet);
        var parents = CountParents(text);
        if (parents >= 2) found = found.With(Rule.PathParents);
        if (parents == 1)
        {
            found = found.With(Rule.PathParent);
            if (IsFile(text)) found = found.With(Rule.PathParentFile);
        }
        // In a sentence a path is spoken of; a value that is a path is opened.
        var spoken = !isPath && text.Contains((byte)' ');
        if (HasAny(text, SystemFiles))
            found = found.With(spoken && parents == 0 ? Rule.PathSystemFileInText : Rule.PathSystemFile);
        if (!spoken && HasHidden(text)) found = found.With(Rule.PathHiddenFile);
        foreach (var wrapper in Wrappers)
            if (text.StartsWith(wrapper) || (!spoken && text.IndexOf(wrapper) >= 0))
                found = found.With(Rule.PathWrapper);
        if ((oddity & Oddity.Nul) != Oddity.None) found = found.With(Rule.CodingNul);
        if ((oddity & Oddity.Overlong) != Oddity.None) found = found.With(Rule.CodingOverlong);
        return found;
    }

    /// <summary>Steps up: two dots beside a slash of either sort, whatever parameters stand between.</summary>
    private static int CountParents(ReadOnlySpan<byte> text)
    {
        var count = 0;
        var at = 0;
        while (true)
        {
            var next = text[at..].IndexOf(".."u8);
            if (next < 0) return count;
            at += next;
            var before = at == 0 || IsSlash(text[at - 1]) || text[at - 1] is (byte)'=' or (byte)':' or (byte)' '
                or (byte)'"' or (byte)'\'' or (byte)'.' or (byte)';' or (byte)'(';
            var end = at + 2;
            while (end < text.Length && text[end] is (byte)'.' or (byte)';') end++; // "....//" and "..;/".
            var after = end < text.Length && IsSlash(text[end]);
            if (after && before) count++;
            else if (end >= text.Length && at > 0 && IsSlash(text[at - 1])) count++;
            at = end;
        }
    }

    private static bool IsSlash(byte one) => one is (byte)'/' or (byte)'\\';

    private static bool IsFile(ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)' ')) return false;
        foreach (var ending in Endings)
            if (text.EndsWith(ending)) return true;
        return false;
    }

    private static bool HasHidden(ReadOnlySpan<byte> text)
    {
        foreach (var file in HiddenFiles)
        {
            if (text.IndexOf(file) >= 0) return true;
            if (file[0] == '/' && text.StartsWith(file.AsSpan(1))) return true; // .git/config by itself.
        }
        return false;
    }

    private static bool HasAny(ReadOnlySpan<byte> text, byte[][] names)
    {
        foreach (var name in names)
            if (text.IndexOf(name) >= 0) return true;
        // The same with the slashes of Windows.
        if (!text.Contains((byte)'\\')) return false;
        return text.IndexOf("windows\\system32"u8) >= 0 || text.IndexOf("windows\\win.ini"u8) >= 0
            || text.IndexOf("winnt\\"u8) >= 0 || text.IndexOf("\\etc\\passwd"u8) >= 0
            || text.IndexOf("config\\sam"u8) >= 0 || text.IndexOf("inetpub\\"u8) >= 0
            || text.IndexOf("c:\\windows"u8) >= 0 || text.IndexOf("c:\\boot"u8) >= 0;
    }

    private static byte[][] Bytes(params ReadOnlySpan<string> all)
    {
        var bytes = new byte[all.Length][];
        for (var index = 0; index < all.Length; index++) bytes[index] = System.Text.Encoding.ASCII.GetBytes(all[index]);
        return bytes;
    }
}
