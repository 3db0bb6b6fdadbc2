using System.Buffers;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>
/// Finds what a browser would run, were the text put into a page: tags and attributes by one pass with the state that
/// a parser of HTML has, and what breaks out of an attribute or a script.
/// </summary>
internal static class MarkupScanner
{
    /// <summary>Bytes that are looked at behind the beginning of something.</summary>
    private const int Ahead = 96;

    private static readonly SearchValues<byte> Gate = SearchValues.Create("<>(=:`{\"'"u8);
    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_:"u8);

    private enum Tag : byte
    {
        None,

        /// <summary>Runs, or loads what runs, by being there.</summary>
        Active,
        Script,

        /// <summary>Dangerous with an attribute, which is looked for.</summary>
        Passive,
    }

    private static readonly WordTable<Tag> Tags = new(
        (Tag.Script, "script"),
        (Tag.Active, "iframe object embed applet frameset frame base meta link noscript isindex portal "
            + "foreignobject animate animatetransform xss layer ilayer bgsound import"),
        (Tag.Passive, "svg math img image a body input button form video audio source details marquee select textarea "
            + "style div span p b i html table td keygen set template dialog object"));

    private enum Name : byte { None, Handler, Sink, Call }

    /// <summary>Events whose names no ordinary word has.</summary>
    private static readonly WordTable<Name> Handlers = new(
        (Name.Handler, "onabort onafterprint onafterscriptexecute onanimationcancel onanimationend "
            + "onanimationiteration onanimationstart onauxclick onbeforecopy onbeforecut onbeforeinput onbeforeprint "
            + "onbeforescriptexecute onbeforetoggle onbeforeunload onbegin onblur onbounce oncancel oncanplay "
            + "oncanplaythrough onchange onclick onclose oncontextmenu oncopy oncuechange oncut ondblclick ondrag "
            + "ondragend ondragenter ondragleave ondragover ondragstart ondrop ondurationchange onend onended onerror "
            + "onfinish onfocus onfocusin onfocusout onformdata onfullscreenchange onhashchange oninput oninvalid "
            + "onkeydown onkeypress onkeyup onload onloadeddata onloadedmetadata onloadend onloadstart onmessage "
            + "onmousedown onmouseenter onmouseleave onmousemove onmouseout onmouseover onmouseup onmousewheel "
            + "onpagehide onpageshow onpaste onpause onplay onplaying onpointercancel onpointerdown onpointerenter "
            + "onpointerleave onpointermove onpointerout onpointerover onpointerrawupdate onpointerup onpopstate "
            + "onprogress onpropertychange onratechange onreadystatechange onrepeat onreset onresize onscroll "
            + "onscrollend onsearch onseeked onseeking onselect onselectionchange onselectstart onshow onstart "
            + "onstorage onsubmit onsuspend ontimeupdate ontoggle ontouchend ontouchmove ontouchstart ontransitionend "
            + "ontransitionrun ontransitionstart onunhandledrejection onunload onvolumechange onwebkitanimationend "
            + "onwheel"));

    private static readonly WordTable<Name> Calls = new(
        (Name.Call, "alert prompt confirm eval settimeout setinterval fetch import print atob function execscript "
            + "constructor"));

    public static bool MayHave(ReadOnlySpan<byte> text) => text.ContainsAny(Gate);

    public static RuleSet Scan(ReadOnlySpan<byte> text)
    {
        var found = default(RuleSet);
        if (text.Contains((byte)'<')) found = ScanTags(text);
        found = ScanAttributes(text, found);
        found = ScanUrls(text, found);
        found = ScanBreaks(text, found);
        return ScanCode(text, found);
    }

    // One pass: where a tag is open, names before an equals sign are its attributes.
    private static RuleSet ScanTags(ReadOnlySpan<byte> text)
    {
        var found = default(RuleSet);
        var open = false;
        for (var at = 0; at < text.Length; at++)
        {
            var one = text[at];
            if (one == '>') open = false;
            else if (one == '<')
            {
                found = JudgeTag(text, at, found, out open, out var length);
                at += length;
            }
            else if (open && one is (byte)' ' or (byte)'/' or (byte)'"' or (byte)'\'' or (byte)'\n' or (byte)'`')
            {
                var name = NameAt(text, at + 1);
                if (name.IsEmpty) continue;
                at += name.Length;
                if (IsAssigned(text, at + 1)) found = JudgeAttribute(text, name, at + 1, found);
            }
        }
        return found;
    }

    private static RuleSet JudgeTag(ReadOnlySpan<byte> text, int at, RuleSet found, out bool open, out int length)
    {
        var start = at + 1;
        if (start < text.Length && text[start] is (byte)'/' or (byte)'!' or (byte)'?') start++;
        var name = NameAt(text, start);
        length = start - at - 1 + name.Length;
        open = !name.IsEmpty;
        if (!open) return found;
        var end = start + name.Length;
        // A name ends with one of these, or it is no tag: "a <b" and List<string>.
        var closes = end >= text.Length || text[end] is (byte)' ' or (byte)'>' or (byte)'/' or (byte)'\n' or (byte)'<'
            or (byte)'"' or (byte)'\'' or (byte)'=' or (byte)';';
        if (text[at + 1] == '!') return name.SequenceEqual("entity"u8) ? found.With(Rule.XssTag) : found;
        var colon = name.IndexOf((byte)':');
        Tags.TryFind(colon >= 0 ? name[(colon + 1)..] : name, out var tag);
        if (tag != Tag.None && closes) found = found.With(Rule.XssMarkup);
        if (tag == Tag.Script && closes) return found.With(Rule.XssScript);
        if (tag == Tag.Active && closes && text[at + 1] != '/' && (end < text.Length && text[end] is not (byte)'<'))
            return found.With(Rule.XssTag);
        return found;
    }

    private static RuleSet JudgeAttribute(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name, int at, RuleSet found)
    {
        // In a tag whatever begins so is a handler, be its event known here or not.
        if (name.Length >= 5 && name[0] == 'o' && name[1] == 'n') return found.With(Rule.XssHandler);
        if (name.SequenceEqual("srcdoc"u8)) return found.With(Rule.XssAttribute);
        var value = text[at..Math.Min(text.Length, at + Ahead)].TrimStart(" \n=\"'`"u8);
        if (name.SequenceEqual("style"u8) && (Has(value, "expression("u8) || Has(value, "-moz-binding"u8)
            || Has(value, "behavior:"u8) || Has(value, "javascript:"u8))) return found.With(Rule.XssAttribute);
        if (name.SequenceEqual("href"u8) || name.SequenceEqual("src"u8) || name.SequenceEqual("xlink:href"u8)
            || name.SequenceEqual("action"u8) || name.SequenceEqual("formaction"u8) || name.SequenceEqual("data"u8)
            || name.SequenceEqual("from"u8) || name.SequenceEqual("to"u8) || name.SequenceEqual("values"u8)
            || name.SequenceEqual("background"u8) || name.SequenceEqual("poster"u8))
        {
            if (IsScheme(value, "javascript:"u8) || IsScheme(value, "vbscript:"u8)
                || value.StartsWith("data:text/html"u8)
                || value.StartsWith("data:image/svg"u8) || value.StartsWith("data:application/x"u8))
                return found.With(Rule.XssUrl);
        }
        return found;
    }

    // Outside of any tag: what would end an attribute and begin another.
    private static RuleSet ScanAttributes(ReadOnlySpan<byte> text, RuleSet found)
    {
        var (at, quoted) = (0, false);
        while (true)
        {
            var next = text[at..].IndexOf("on"u8);
            if (next < 0) return found;
            quoted |= text.Slice(at, next).IndexOfAny("\"'`"u8) >= 0;
            at += next;
            var name = NameAt(text, at);
            var free = at == 0 || text[at - 1] is (byte)' ' or (byte)'/' or (byte)'"' or (byte)'\'' or (byte)'\n'
                or (byte)'`' or (byte)';';
            if (free && Handlers.TryFind(name, out _) && IsAssigned(text, at + name.Length))
            {
                if (quoted) return found.With(Rule.XssHandler);
                var value = text[(at + name.Length)..Math.Min(text.Length, at + name.Length + Ahead)];
                if (value.IndexOfAny("(`"u8) >= 0) return found.With(Rule.XssHandler);
            }
            at += Math.Max(2, name.Length);
            if (at >= text.Length) return found;
        }
    }

    // As a whole value it is followed when somebody clicks it. A title may begin so, but not go on like a program.
    private static RuleSet ScanUrls(ReadOnlySpan<byte> text, RuleSet found)
    {
        var value = text.TrimStart(" \n\"'"u8);
        if (IsCodeUrl(value, "javascript:"u8) || IsCodeUrl(value, "vbscript:"u8)) return found.With(Rule.XssUrl);
        return value.StartsWith("data:text/html"u8) || value.StartsWith("data:image/svg+xml"u8)
            ? found.With(Rule.XssUrl)
            : found;
    }

    private static bool IsCodeUrl(ReadOnlySpan<byte> value, ReadOnlySpan<byte> scheme) =>
        SchemeLength(value, scheme) is > 0 and var length
        && IsCode(value[length..Math.Min(value.Length, length + Ahead)]);

    private static bool IsCode(ReadOnlySpan<byte> code)
    {
        var open = code.IndexOfAny("(`"u8);
        if (open > 0 && code[open - 1] is not (byte)' ') return true;
        return code.StartsWith("//"u8) || code.StartsWith("/*"u8) || code.Contains((byte)'=');
    }

    // A quote, what ends an expression, a call: '-alert(1)-' and ";alert(1)//.
    private static RuleSet ScanBreaks(ReadOnlySpan<byte> text, RuleSet found)
    {
        var at = 0;
        while (true)
        {
            var next = text[at..].IndexOfAny((byte)'(', (byte)'`');
            if (next < 0) return found;
            at += next;
            var name = NameBefore(text, at);
            if (Calls.TryFind(name, out _))
            {
                var before = text[..(at - name.Length)].TrimEnd(" \n"u8);
                if (before.Length > 0 && before[^1] is (byte)';' or (byte)'-' or (byte)'+' or (byte)'*' or (byte)'/'
                    or (byte)',' or (byte)'}' or (byte)'|' or (byte)'&' or (byte)'^' or (byte)':' or (byte)'?')
                {
                    var rest = before.TrimEnd(";-+*/,} |&^?:)]"u8);
                    if (rest.Length > 0 && rest[^1] is (byte)'\'' or (byte)'"' or (byte)'`' or (byte)'\\')
                        return found.With(Rule.XssBreak);
                }
                if (before.IsEmpty || (before.Length > 0 && before[^1] is (byte)'\'' or (byte)'"'))
                    found = found.With(Rule.XssObscured);
            }
            if (++at >= text.Length) return found;
        }
    }

    private static RuleSet ScanCode(ReadOnlySpan<byte> text, RuleSet found)
    {
        if (Has(text, "document.cookie"u8) || Has(text, "document.write"u8) || Has(text, "document.domain"u8)
            || Has(text, "document["u8) || Has(text, ".innerhtml"u8) || Has(text, "localstorage."u8)
            || Has(text, "window["u8) || Has(text, "window.location"u8) || Has(text, "document.location"u8))
            found = found.With(Rule.XssSink);
        if (Has(text, "string.fromcharcode("u8) || Has(text, "(atob("u8) || Has(text, "[]["u8) || Has(text, "eval("u8)
            || Has(text, "unescape("u8) || Has(text, "top["u8) || Has(text, "self["u8) || Has(text, "this["u8))
            found = found.With(Rule.XssObscured);
        var template = text.IndexOf("{{"u8);
        if (template >= 0 || (template = text.IndexOf("${"u8)) >= 0 || (template = text.IndexOf("<%="u8)) >= 0)
        {
            var code = text[template..Math.Min(text.Length, template + Ahead)];
            if (Has(code, "constructor"u8) || Has(code, "__class__"u8) || Has(code, "alert("u8)
                || Has(code, "__proto__"u8) || Has(code, "$eval"u8) || Has(code, "t(java"u8)
                || Has(code, "getruntime"u8) || Has(code, "config."u8) || Has(code, "7*7"u8))
                found = found.With(Rule.XssTemplate);
        }
        return found;
    }

    private static bool Has(ReadOnlySpan<byte> text, ReadOnlySpan<byte> what) => text.IndexOf(what) >= 0;

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length || text[at] is not (>= (byte)'a' and <= (byte)'z')) return default;
        var rest = text[at..];
        var end = rest.IndexOfAnyExcept(NameBytes);
        return end < 0 ? rest : rest[..end];
    }

    // Of the last bytes alone: no name that is known is longer.
    private static ReadOnlySpan<byte> NameBefore(ReadOnlySpan<byte> text, int end)
    {
        var rest = text[Math.Max(0, end - 24)..end].TrimEnd((byte)' ');
        if (rest.Length != Math.Min(end, 24)) return default;
        var start = rest.LastIndexOfAnyExceptInRange((byte)'a', (byte)'z');
        return rest[(start + 1)..];
    }

    private static bool IsAssigned(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\n') at++;
        return at < text.Length && text[at] == '=';
    }

    private static bool IsScheme(ReadOnlySpan<byte> text, ReadOnlySpan<byte> scheme) => SchemeLength(text, scheme) > 0;

    // Browsers pass over line ends and tabs in it, which are blanks here.
    private static int SchemeLength(ReadOnlySpan<byte> text, ReadOnlySpan<byte> scheme)
    {
        var matched = 0;
        for (var at = 0; at < text.Length && at < Ahead; at++)
        {
            if (text[at] is (byte)' ' or (byte)'\n') continue;
            if (text[at] != scheme[matched]) return 0;
            if (++matched == scheme.Length) return at + 1;
        }
        return 0;
    }
}
