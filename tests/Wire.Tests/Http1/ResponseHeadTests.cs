using Groundwork.Wire.Http1;

namespace Groundwork.Wire.Tests.Http1;

/// <summary>
/// Heads of answers, each with what the parser makes of it; written as in <see cref="RequestHeadTests"/>.
/// </summary>
public sealed class ResponseHeadTests
{
    private static readonly HeadLimits Limits = new(LineBytes: 1024, FieldsBytes: 2048, Fields: 20);

    public static TheoryData<KnownMethod, string, string> Good => new()
    {
        { KnownMethod.Get, "HTTP/1.1 200 OK\nContent-Length: 5\n\n", "200 OK Length 5" },
        { KnownMethod.Get, "HTTP/1.1 200 \nContent-Length: 5\n\n", "200  Length 5" },
        { KnownMethod.Get, "HTTP/1.1 200\nContent-Length: 5\n\n", "200  Length 5" },
        { KnownMethod.Get, "HTTP/1.1 200 All \u00e9\twell\nContent-Length: 5\n\n", "200 All \u00e9\twell Length 5" },
        { KnownMethod.Get, "HTTP/1.1 200 OK\n\n", "200 OK UntilClose -1 close" },
        { KnownMethod.Get, "HTTP/1.0 200 OK\nContent-Length: 5\n\n", "200 OK Length 5 close" },
        { KnownMethod.Get, "HTTP/1.0 200 OK\nContent-Length: 5\nConnection: keep-alive\n\n", "200 OK Length 5" },
        { KnownMethod.Get, "HTTP/1.1 200 OK\nContent-Length: 5\nConnection: close\n\n", "200 OK Length 5 close" },
        { KnownMethod.Get, "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "200 OK None 0" },
        { KnownMethod.Get, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "200 OK Chunked -1" },
        // Chunks go before a length, and the connection that told two stories is used no more.
        {
            KnownMethod.Get, "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
            "200 OK Chunked -1 close"
        },
        { KnownMethod.Head, "HTTP/1.1 200 OK\nContent-Length: 5\n\n", "200 OK None 5" },
        { KnownMethod.Head, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "200 OK None -1" },
        { KnownMethod.Head, "HTTP/1.1 200 OK\n\n", "200 OK None -1" },
        { KnownMethod.Get, "HTTP/1.1 204 No Content\nContent-Length: 5\n\n", "204 No Content None 5" },
        { KnownMethod.Get, "HTTP/1.1 304 Not Modified\nContent-Length: 5\n\n", "304 Not Modified None 5" },
        { KnownMethod.Get, "HTTP/1.1 304 Not Modified\nTransfer-Encoding: chunked\n\n", "304 Not Modified None -1" },
        { KnownMethod.Get, "HTTP/1.1 100 Continue\n\n", "100 Continue None -1" },
        { KnownMethod.Get, "HTTP/1.1 103 Early Hints\nLink: </a>\nContent-Length: 9\n\n", "103 Early Hints None 9" },
        { KnownMethod.Get, "HTTP/1.1 101 Switching Protocols\nUpgrade: x\n\n", "101 Switching Protocols None -1" },
        { KnownMethod.Get, "HTTP/1.1 599 Odd\nContent-Length: 1\n\n", "599 Odd Length 1" },
        { KnownMethod.Get, "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5\n\n", "200 OK Length 5" },
    };

    public static TheoryData<string, HeadFault> Bad => new()
    {
        { "SSH-2.0-OpenSSH_9.2\n\n", HeadFault.FirstLine },
        { "H", HeadFault.None },
        { "HX", HeadFault.FirstLine },
        { "\nHTTP/1.1 200 OK\n\n", HeadFault.FirstLine },
        { "http/1.1 200 OK\n\n", HeadFault.FirstLine },
        { "HTTP/2.0 200 OK\n\n", HeadFault.Version },
        { "HTTP/1.2 200 OK\n\n", HeadFault.Version },
        { "HTTP/1.1  200 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1\t200 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 20 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 2000 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 099 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 600 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 +20 OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 200-OK\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 200 O\\0K\n\n", HeadFault.FirstLine },
        { "HTTP/1.1 200 OK\\nX: y\n\n", HeadFault.LineEnd },
        { "HTTP/1.1 200 OK\\rX: y\n\n", HeadFault.LineEnd },
        { "HTTP/1.1 200 OK\nX : y\n\n", HeadFault.FieldName },
        { "HTTP/1.1 200 OK\nX: y\n folded\n\n", HeadFault.FieldName },
        { "HTTP/1.1 200 OK\nX: a\\0b\n\n", HeadFault.FieldValue },
        { "HTTP/1.1 200 OK\nX: y\\nSet-Cookie: z\n\n", HeadFault.LineEnd },
        { "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6\n\n", HeadFault.ContentLength },
        { "HTTP/1.1 200 OK\nContent-Length: -1\n\n", HeadFault.ContentLength },
        { "HTTP/1.1 200 OK\nContent-Length: 5, 5\n\n", HeadFault.ContentLength },
        { "HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n", HeadFault.TransferCoding },
        { "HTTP/1.1 200 OK\nTransfer-Encoding: chunked, gzip\n\n", HeadFault.TransferCoding },
        { "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n", HeadFault.TransferCoding },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_answer_is_read_however_it_is_cut(KnownMethod method, string raw, string expected)
    {
        var bytes = RequestHeadTests.Bytes(raw);
        foreach (var piece in new[] { int.MaxValue, 1, 3 })
        {
            var head = new ResponseHead(Limits);
            head.Expect(method);
            foreach (var part in bytes.Chunk(Math.Min(piece, bytes.Length)))
            {
                Assert.Equal(0, head.Length);
                head.Append(part);
                Assert.NotEqual(HeadProgress.Bad, head.Parse());
            }
            Assert.Equal(bytes.Length, head.Length);
            Assert.Equal(
                expected,
                $"{head.Status} {RequestHeadTests.Text(head.Reason)} {head.Body} {head.ContentLength}"
                + (head.KeepAlive ? "" : " close"));
        }
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_answer_is_refused(string raw, HeadFault fault)
    {
        var head = new ResponseHead(Limits);
        head.Append(RequestHeadTests.Bytes(raw));
        Assert.Equal(fault == HeadFault.None ? HeadProgress.Incomplete : HeadProgress.Bad, head.Parse());
        Assert.Equal(fault, head.Fault);
    }
}
