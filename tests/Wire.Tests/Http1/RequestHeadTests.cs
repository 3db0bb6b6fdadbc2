using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Wire.Tests.Http1;

/// <summary>
/// Heads as they come over the wire, each with what the parser makes of it: the fault, or what everybody behind it is
/// to see. A line feed in the table stands for CR LF; \n, \r, \0 and \t are written out where they are meant alone.
/// </summary>
public sealed class RequestHeadTests
{
    private static readonly HeadLimits Limits = new(LineBytes: 1024, FieldsBytes: 2048, Fields: 20);

    public static TheoryData<string, string> Good => new()
    {
        { "GET / HTTP/1.1\nHost: a\n\n", "GET a / none" },
        { "GET /a/b?c=d&e HTTP/1.1\nHost: a\n\n", "GET a /a/b?c=d&e none" },
        { "\nGET / HTTP/1.1\nHost: a\n\n", "GET a / none" },
        { "HEAD / HTTP/1.1\nHost: a\n\n", "HEAD a / none" },
        { "PURGE /x HTTP/1.1\nHost: a\n\n", "PURGE a /x none" },
        { "M-SEARCH /x HTTP/1.1\nHost: a\n\n", "M-SEARCH a /x none" },
        { "get / HTTP/1.1\nHost: a\n\n", "get a / none" },
        { "GET / HTTP/1.0\n\n", "GET - / none close" },
        { "GET / HTTP/1.0\nHost: a\n\n", "GET a / none close" },
        { "GET / HTTP/1.0\nConnection: Keep-Alive\n\n", "GET - / none" },
        { "GET / HTTP/1.0\nConnection: keep-alive, close\n\n", "GET - / none close" },
        { "GET / HTTP/1.1\nHost: a\nConnection: close\n\n", "GET a / none close" },
        { "GET / HTTP/1.1\nHost: a\nConnection: x, CLOSE\n\n", "GET a / none close" },
        { "GET / HTTP/1.1\nHost: a\nConnection: x\nConnection: close\n\n", "GET a / none close" },
        { "GET / HTTP/1.1\nHost: a\nConnection: closed\n\n", "GET a / none" },
        { "GET / HTTP/1.1\nHOST: Shop.Example.COM:8080\n\n", "GET shop.example.com / none" },
        { "GET / HTTP/1.1\nHost:shop.example.\n\n", "GET shop.example / none" },
        { "GET / HTTP/1.1\nHost: \t a \t \n\n", "GET a / none" },
        { "GET / HTTP/1.1\nHost: 127.0.0.1:80\n\n", "GET 127.0.0.1 / none" },
        { "GET / HTTP/1.1\nHost: [::1]:80\n\n", "GET [::1] / none" },
        { "GET / HTTP/1.1\nHost: [0:0:0:0:0:0:0:1]\n\n", "GET [::1] / none" },
        { "GET / HTTP/1.1\nHost: [2001:DB8::A]\n\n", "GET [2001:db8::a] / none" },
        { "GET / HTTP/1.1\nHost: my_service\n\n", "GET my_service / none" },
        { "GET http://b/c?d HTTP/1.1\nHost: b\n\n", "GET b /c?d none" },
        { "GET HTTP://B HTTP/1.1\nHost: b\n\n", "GET b / none" },
        { "GET https://b?x HTTP/1.1\nHost: b\n\n", "GET b /?x none" },
        { "GET http://b:81/ HTTP/1.1\nHost: b:81\n\n", "GET b / none" },
        { "GET http://b/ HTTP/1.0\n\n", "GET b / none close" },
        { "OPTIONS * HTTP/1.1\nHost: a\n\n", "OPTIONS a  none" },
        { "CONNECT a:443 HTTP/1.1\nHost: a:443\n\n", "CONNECT a  none" },
        { "GET /%61%2f%C3%a9 HTTP/1.1\nHost: a\n\n", "GET a /a%2F%C3%A9 none" },
        { "GET /a/./b/../c HTTP/1.1\nHost: a\n\n", "GET a /a/c none" },
        { "GET /a/%2e%2e/b?/../%00 HTTP/1.1\nHost: a\n\n", "GET a /b?/../%00 none" },
        { "GET //a//b HTTP/1.1\nHost: a\n\n", "GET a //a//b none" },
        { "GET /a;v=1/b HTTP/1.1\nHost: a\n\n", "GET a /a;v=1/b none" },
        { "GET /a|b^c HTTP/1.1\nHost: a\n\n", "GET a /a|b^c none" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n", "POST a / 5" },
        { "POST / HTTP/1.1\nHost: a\ncontent-length:0\n\n", "POST a / none" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 005\n\n", "POST a / 5" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\n", "POST a / 5" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 999999999999999999\n\n", "POST a / 999999999999999999" },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", "POST a / chunked" },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding:Chunked\n\n", "POST a / chunked" },
        { "GET / HTTP/1.1\nHost: a\nContent-Length: 5\n\n", "GET a / 5" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nExpect: 100-Continue\n\n", "POST a / 5 expects" },
        { "GET / HTTP/1.1\nHost: a\nExpect: 100-continue\n\n", "GET a / none" },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nExpect: 200-ok\n\n", "POST a / 5" },
        { "GET / HTTP/1.1\nHost: a\nX: \n\n", "GET a / none" },
        { "GET / HTTP/1.1\nHost: a\nX:\n\n", "GET a / none" },
        { "GET / HTTP/1.1\nHost: a\nX: a\tb \u00e9\n\n", "GET a / none" },
        { "GET / HTTP/1.1\nHost: a\n!#$%&'*+-.^_`|~09Az: v\n\n", "GET a / none" },
    };

    public static TheoryData<string, HeadFault> Bad => new()
    {
        // The line.
        { " GET / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "\n\nGET / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "\\rGET / HTTP/1.1\nHost: a\n\n", HeadFault.LineEnd },
        { "\\nGET / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "G\\0T / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "G(T / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "GET\t/ HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "GETGETGETGETGETGETGETGETGET / HTTP/1.1\nHost: a\n\n", HeadFault.Method },
        { "\u0016\u0003\u0001", HeadFault.Method },
        { "GET  / HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET /a b HTTP/1.1\nHost: a\n\n", HeadFault.FirstLine },
        { "GET /a\tb HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET /\u00e9 HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET /\\0 HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET /\nHost: a\n\n", HeadFault.Target },
        { "GET / HTTP/1.1 \nHost: a\n\n", HeadFault.FirstLine },
        { "GET / HTTP/1.1\\nHost: a\n\n", HeadFault.LineEnd },
        { "GET / http/1.1\nHost: a\n\n", HeadFault.FirstLine },
        { "GET / HTTP/1\nHost: a\n\n", HeadFault.FirstLine },
        { "GET / HTTP/1.11\nHost: a\n\n", HeadFault.FirstLine },
        { "GET / HTTP/+1.1\nHost: a\n\n", HeadFault.FirstLine },
        { "GET / XTTP/1.1\nHost: a\n\n", HeadFault.FirstLine },
        { "GET / HTTP/2.0\nHost: a\n\n", HeadFault.Version },
        { "GET / HTTP/1.2\nHost: a\n\n", HeadFault.Version },
        { "GET / HTTP/0.9\nHost: a\n\n", HeadFault.Version },
        // The target.
        { "GET a HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET * HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET a:80 HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET ftp://a/ HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET /a#b HTTP/1.1\nHost: a\n\n", HeadFault.Target },
        { "GET http://a@b/ HTTP/1.1\nHost: b\n\n", HeadFault.HostInvalid },
        { "GET http:///x HTTP/1.1\nHost: a\n\n", HeadFault.HostInvalid },
        { "GET http://b/ HTTP/1.1\nHost: a\n\n", HeadFault.HostContradicted },
        { "GET http://a:81/ HTTP/1.1\nHost: a\n\n", HeadFault.HostContradicted },
        { "CONNECT a:443 HTTP/1.1\nHost: b\n\n", HeadFault.HostContradicted },
        { "GET /.. HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /a/..;/b HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /a%2F..%2Fb HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /%00 HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /%0d%0aX:y HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /%C0%AF HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /%5Cb HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /\\b HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        { "GET /%zz HTTP/1.1\nHost: a\n\n", HeadFault.Path },
        // The fields.
        { "GET / HTTP/1.1\n Host: a\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost : a\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX\t: 1\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\n: 1\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX: 1\n folded\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX: 1\n\tfolded\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX\\0: 1\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\n\u00e9: 1\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX(y): 1\n\n", HeadFault.FieldName },
        { "GET / HTTP/1.1\nHost: a\nX: a\\0b\n\n", HeadFault.FieldValue },
        { "GET / HTTP/1.1\nHost: a\nX: a\u000bb\n\n", HeadFault.FieldValue },
        { "GET / HTTP/1.1\nHost: a\nX: a\u007fb\n\n", HeadFault.FieldValue },
        { "GET / HTTP/1.1\nHost: a\nX: 1\\nY: 2\n\n", HeadFault.LineEnd },
        { "GET / HTTP/1.1\nHost: a\nX: 1\\rY: 2\n\n", HeadFault.LineEnd },
        { "GET / HTTP/1.1\nHost: a\nX: 1\\r\\r\\n\n", HeadFault.LineEnd },
        { "GET / HTTP/1.1\nHost: a\n\\n", HeadFault.LineEnd },
        { "GET / HTTP/1.1\nHost: a\n\\rX", HeadFault.LineEnd },
        // Host.
        { "GET / HTTP/1.1\n\n", HeadFault.HostMissing },
        { "GET http://a/ HTTP/1.1\n\n", HeadFault.HostMissing },
        { "GET / HTTP/1.1\nHost: a\nHost: a\n\n", HeadFault.HostTwice },
        { "GET / HTTP/1.1\nHost: a\nhost: b\n\n", HeadFault.HostTwice },
        { "GET / HTTP/1.0\nHost: a\nHost: b\n\n", HeadFault.HostTwice },
        { "GET / HTTP/1.1\nHost: \n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a b\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a/b\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a, b\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a:b\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a:80:80\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: :80\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: a..b\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: user@a\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: [::1\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: [::1]x\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: [fe80::1%25eth0]\n\n", HeadFault.HostInvalid },
        { "GET / HTTP/1.1\nHost: \u00e9\n\n", HeadFault.HostInvalid },
        // Framing.
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n", HeadFault.TwoLengths },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 0\n\n", HeadFault.TwoLengths },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 6\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5, 5\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: +5\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: -5\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 0x5\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5 5\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 5.0\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length:\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: \u00b2\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\n", HeadFault.ContentLength },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, identity\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n", HeadFault.TransferCoding },
        {
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n",
            HeadFault.TransferCoding
        },
        {
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: x\n\n",
            HeadFault.TransferCoding
        },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding:\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: \"chunked\"\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked;q=1\n\n", HeadFault.TransferCoding },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: \u000bchunked\n\n", HeadFault.FieldValue },
        { "POST / HTTP/1.1\nHost: a\nTransfer-Encoding : chunked\n\n", HeadFault.FieldName },
        { "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n", HeadFault.TransferCoding },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_head_is_read(string raw, string expected)
    {
        var bytes = Bytes(raw);
        var head = new RequestHead(Limits);
        head.Append(bytes);
        Assert.True(head.Parse() == HeadProgress.Complete, head.Fault.ToString());
        Assert.Equal(bytes.Length, head.Length);
        Assert.Equal(expected, Describe(head));
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void It_is_the_same_however_it_is_cut(string raw, string expected)
    {
        var bytes = Bytes(raw);
        var head = new RequestHead(Limits);
        foreach (var piece in new[] { 1, 2, 7 })
        {
            head.Clear();
            for (var at = 0; at < bytes.Length; at += piece)
            {
                head.Append(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
                var last = at + piece >= bytes.Length;
                Assert.Equal(last ? HeadProgress.Complete : HeadProgress.Incomplete, head.Parse());
            }
            Assert.Equal(expected, Describe(head));
        }
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_head_is_refused(string raw, HeadFault fault)
    {
        var head = new RequestHead(Limits);
        head.Append(Bytes(raw));
        Assert.Equal((HeadProgress.Bad, fault), (head.Parse(), head.Fault));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void It_is_refused_however_it_is_cut(string raw, HeadFault fault)
    {
        var head = new RequestHead(Limits);
        var progress = HeadProgress.Incomplete;
        foreach (var one in Bytes(raw))
        {
            head.Append([one]);
            progress = head.Parse();
            if (progress != HeadProgress.Incomplete) break;
        }
        Assert.Equal(HeadProgress.Bad, progress);
        // A line that is no end of a line yet may be told by another name; it is never let through.
        Assert.Contains(
            head.Fault, new[] { fault, HeadFault.FieldName, HeadFault.LineEnd, HeadFault.FirstLine });
    }

    [Fact]
    public void What_follows_a_head_is_not_its()
    {
        var head = new RequestHead(Limits);
        head.Append("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n"u8);
        Assert.Equal(HeadProgress.Complete, head.Parse());
        Assert.Equal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n".Length, head.Length);
    }

    [Theory]
    [InlineData(1025, 10, 1, HeadFault.LineTooLong)]
    [InlineData(5000, 10, 1, HeadFault.LineTooLong)]
    [InlineData(10, 2049, 1, HeadFault.HeadTooLarge)]
    [InlineData(10, 9000, 1, HeadFault.HeadTooLarge)]
    [InlineData(10, 10, 20, HeadFault.TooManyFields)]
    [InlineData(990, 10, 19, HeadFault.None)]
    [InlineData(10, 1900, 1, HeadFault.None)]
    public void A_head_has_bounds(int path, int value, int fields, HeadFault fault)
    {
        var raw = $"GET /{new string('a', path)} HTTP/1.1\r\nHost: a\r\n"
            + string.Concat(Enumerable.Range(0, fields).Select(number => $"X{number}: {new string('x', value)}\r\n"))
            + "\r\n";
        var head = new RequestHead(Limits);
        var progress = HeadProgress.Incomplete;
        foreach (var piece in Encoding.ASCII.GetBytes(raw).Chunk(100))
        {
            head.Append(piece);
            progress = head.Parse();
            if (progress != HeadProgress.Incomplete) break;
        }
        Assert.Equal(fault == HeadFault.None ? HeadProgress.Complete : HeadProgress.Bad, progress);
        Assert.Equal(fault, head.Fault);
    }

    [Fact]
    public void A_head_that_never_ends_is_refused_at_its_bound()
    {
        var head = new RequestHead(Limits);
        head.Append("GET / HTTP/1.1\r\nX: "u8);
        var appended = 0;
        while (head.Parse() == HeadProgress.Incomplete)
        {
            head.Append("xxxxxxxxxxxxxxxx"u8);
            appended += 16;
            Assert.True(appended <= Limits.FieldsBytes + 32);
        }
        Assert.Equal(HeadFault.HeadTooLarge, head.Fault);
    }

    [Fact]
    public void Fields_are_found_by_name_in_any_case()
    {
        var head = new RequestHead(Limits);
        head.Append("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two:  2 \r\nCOOKIE: c\r\nX-One: 3\r\n\r\n"u8);
        Assert.Equal(HeadProgress.Complete, head.Parse());
        Assert.True(head.Fields.TryGet("x-ONE"u8, out var one));
        Assert.Equal("1"u8, one);
        Assert.True(head.Fields.TryGet("X-Two"u8, out var two));
        Assert.Equal("2"u8, two);
        Assert.True(head.Fields.TryGet("cookie"u8, out var cookie));
        Assert.Equal("c"u8, cookie);
        Assert.False(head.Fields.TryGet("x-three"u8, out _));
        Assert.False(head.Fields.TryGet("accept"u8, out _));
        Assert.Equal(
            [KnownField.Host, KnownField.Other, KnownField.Other, KnownField.Cookie, KnownField.Other],
            head.Fields.Fields.ToArray().Select(field => field.Known));
    }

    [Fact]
    public void Fields_that_Connection_names_are_known()
    {
        var head = new RequestHead(Limits);
        head.Append("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Mine ,\tcookie\r\n"u8);
        head.Append("x-mine: 1\r\nCookie: 2\r\nX: 3\r\n\r\n"u8);
        Assert.Equal(HeadProgress.Complete, head.Parse());
        Assert.True(head.NamesFields);
        var named = new List<string>();
        foreach (var field in head.Fields.Fields)
            if (head.IsNamed(field)) named.Add(Encoding.ASCII.GetString(head.Fields.NameOf(field)));
        Assert.Equal(["x-mine", "Cookie"], named);
    }

    [Fact]
    public void Every_known_field_is_found_and_every_known_method()
    {
        foreach (var field in Enum.GetValues<KnownField>())
        {
            if (field == KnownField.Other) continue;
            var name = Encoding.ASCII.GetString(KnownFields.NameOf(field));
            Assert.Equal(field, KnownFields.Find(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
            Assert.Equal(KnownField.Other, KnownFields.Find(Encoding.ASCII.GetBytes(name + "x")));
            Assert.Equal(field.ToString(), name.Replace("-", ""), ignoreCase: true);
        }
        foreach (var method in Enum.GetValues<KnownMethod>())
            Assert.Equal(method, KnownMethods.Find(Encoding.ASCII.GetBytes(KnownMethods.NameOf(method))));
    }

    internal static string Describe(RequestHead head)
    {
        var body = head.Body switch
        {
            BodyKind.None => "none",
            BodyKind.Length => $"{head.ContentLength}",
            _ => "chunked",
        };
        var host = head.Host.IsEmpty ? "-" : Text(head.Host);
        return $"{Text(head.MethodName)} {host} {Text(head.Path)}{Text(head.Query)} "
            + $"{body}{(head.KeepAlive ? "" : " close")}{(head.ExpectsContinue ? " expects" : "")}";
    }

    internal static byte[] Bytes(string raw) => Encoding.Latin1.GetBytes(raw.Replace("\n", "\r\n")
        .Replace("\\n", "\n").Replace("\\r", "\r").Replace("\\0", "\0"));

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
