using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Inspection;
using Groundwork.Communication.Tests.Gateway.Content;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>What the inspection of a route does with a request, besides finding anything in it.</summary>
public sealed class InspectionTests
{
    private const string Part = "--x\r\nContent-Disposition: form-data; name=\"a\"";

    private const string Attack = "?id=1%27+or+1%3D1+--+";

    [Fact]
    public async Task Block_refuses_without_saying_why_and_tells_the_rules_where_they_are_asked_for()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(instance, new InspectSpec("block"));
        using var answer = await edge.Client.GetAsync("/find" + Attack);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Contains("\"inspection_refused\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("sql", body, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, instance.Requests);
        var told = await ToldAsync(edge, 1);
        Assert.Contains(
            "refused: sql-tautology, sql-end-comment in query:id (score 7)", told, StringComparison.Ordinal);
        Assert.Equal(1, edge.Module.Inspected.Of(Rule.SqlTautology, InspectionVerdict.Blocked));

        Assert.Equal("found", await edge.Client.GetStringAsync("/find?id=1"));
        Assert.Contains("nothing found", await ToldAsync(edge, 2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_passes_the_request_and_counts_it()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(instance, new InspectSpec());
        Assert.Equal("found", await edge.Client.GetStringAsync("/find" + Attack));
        Assert.Contains("detected: sql-tautology", await ToldAsync(edge, 1), StringComparison.Ordinal);
        Assert.Equal(1, edge.Module.Inspected.Of(Rule.SqlTautology, InspectionVerdict.Detected));
        Assert.Equal(0, edge.Module.Inspected.Of(Rule.SqlTautology, InspectionVerdict.Blocked));
        Assert.Equal("found", await edge.Client.GetStringAsync("/find?id=1"));
        Assert.Equal(1, edge.Module.Inspected.Of(Rule.SqlTautology, InspectionVerdict.Detected));
    }

    [Fact]
    public async Task A_route_without_it_looks_at_nothing()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        Assert.Equal("found", await edge.Client.GetStringAsync("/find" + Attack));
    }

    [Theory]
    [InlineData("/find/%3Cscript%3Ealert(1)%3C%2Fscript%3E", null)]
    [InlineData("/find?%3Cscript%3Ealert(1)%3C%2Fscript%3E", null)]
    [InlineData("/find?a%27+or+1%3D1+--+=1", null)]
    [InlineData("/find", "User-Agent: ' or 1=1 -- ")]
    [InlineData("/find", "Referer: https://a.example/${jndi:ldap://b.example/x}")]
    [InlineData("/find", "Cookie: a=1; b=%27%20or%201%3D1%20--%20")]
    [InlineData("/find", "X-Listed: <script>alert(1)</script>")]
    public async Task All_places_are_looked_at_that_are_said(string target, string? field)
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(
            instance, new InspectSpec("block", Headers: ["user-agent", "Referer", "x-listed"]));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(edge, target, field));
        // The same where nobody said so.
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find", "X-Other: <script>alert(1)</script>"));
    }

    [Fact]
    public async Task Exceptions_leave_out_rules_for_parameters_or_for_all()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(instance, new InspectSpec(
            "block",
            Except:
            [
                new(["text", "cookie:draft", "header:referer"], ["xss-script"]), new(["free"]),
                new(null, ["sql-union"]),
            ]));
        const string script = "%3Cscript%3Ea%3C%2Fscript%3E";
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, $"/find?text={script}"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(edge, $"/find?other={script}"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(edge, "/find?text=1%27+or+1%3D1+--+"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find?free=1%27+or+1%3D1+--+"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find?id=1+union+select+2"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find", $"Cookie: draft={script}"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(edge, "/find", $"Cookie: text={script}"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find", "Referer: <script>a</script>"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(edge, "application/json", """{"a":{"text":"<script>a"}}"""));
        Assert.Equal(
            HttpStatusCode.Forbidden, await PostAsync(edge, "application/json", """{"text":{"a":"<script>b"}}"""));
    }

    [Fact]
    public async Task The_threshold_and_the_classes_are_the_routes()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(instance, new InspectSpec("block", Threshold: 8));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(edge, "/find" + Attack)); // 7
        Assert.Contains("below the threshold: sql-tautology", await ToldAsync(edge, 1), StringComparison.Ordinal);
        await using var other = await StartAsync(instance, new InspectSpec("block", Classes: ["xss"]));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(other, "/find" + Attack));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(other, "/find?q=%3Cscript%3E"));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "a=1&b=1%27+or+1%3D1--", false)]
    [InlineData("application/x-www-form-urlencoded", "a=1&b=2", true)]
    [InlineData("application/json; charset=utf-8", """{"a":[{"b":"1\u0027 or 1=1--"}]}""", false)]
    [InlineData("application/json", """{"1' or 1=1--":1}""", false)]
    [InlineData("application/json", """{"a":[{"b":"1 or 2"}],"n":null,"t":true}""", true)]
    [InlineData("application/json", """{"a":"1' or 1=1--""", false)] // No JSON: nobody knows who reads it how.
    [InlineData("application/vnd.api+json", """{"b":"<script>"}""", false)]
    [InlineData("text/plain", """{"b":"<script>"}""", false)]
    [InlineData("text/plain", "b=%3Cscript%3E", false)]
    [InlineData("text/plain", "hello", true)]
    [InlineData("application/xml", "<a><b>1' or 1=1--</b></a>", false)]
    [InlineData("application/xml", "<a><script>x</script></a>", true)] // Markup is what it is made of.
    [InlineData("application/octet-stream", "<script>", true)]
    [InlineData("multipart/form-data; boundary=x", Part + "\r\n\r\n<script>\r\n--x--", false)]
    [InlineData(
        "multipart/form-data; boundary=\"x\"", Part + "; filename=\"../../../etc/passwd\"\r\n\r\nb\r\n--x--", false)]
    [InlineData("multipart/form-data; boundary=x", Part + "; filename=\"b\"\r\n\r\n<script>\r\n--x--", true)]
    public async Task Bodies_are_looked_at_and_arrive_as_they_were(string type, string body, bool passes)
    {
        var arrived = "";
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            arrived = await reader.ReadToEndAsync();
        });
        await using var edge = await StartAsync(instance, new InspectSpec("block"));
        Assert.Equal(passes ? HttpStatusCode.OK : HttpStatusCode.Forbidden, await PostAsync(edge, type, body));
        Assert.Equal(passes ? body : "", arrived);
    }

    [Theory]
    [InlineData("block", "refuse", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("block", "pass", HttpStatusCode.OK)]
    [InlineData("detect", "refuse", HttpStatusCode.OK)]
    public async Task A_body_that_is_larger_than_what_is_held_is_refused_or_passes_whole(
        string mode, string unseen, HttpStatusCode status)
    {
        const int size = 20_000;
        var arrived = 0L;
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            arrived = copy.Length;
        });
        await using var edge = await StartAsync(instance, new InspectSpec(mode, BodyBytes: 1_000, Unseen: unseen));
        var large = new string('a', size);
        Assert.Equal(status, await PostAsync(edge, "text/plain", large));
        Assert.Equal(status == HttpStatusCode.OK ? size : 0, arrived);
        arrived = 0;
        Assert.Equal(status, await PostAsync(edge, "text/plain", large, chunked: true));
        Assert.Equal(status == HttpStatusCode.OK ? size : 0, arrived);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(edge, "text/plain", new string('a', 1_000), chunked: true));
        if (unseen == "pass")
            Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(edge, "text/plain", "<script>" + large));
    }

    [Fact]
    public async Task A_compressed_body_cannot_be_looked_at()
    {
        await using var instance = await WebInstance.NamedAsync("found");
        await using var edge = await StartAsync(instance, new InspectSpec("block"));
        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType, await PostAsync(edge, "application/json", "{}", coding: "gzip"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(edge, "application/json", "{}", coding: "identity"));
    }

    [Theory]
    [InlineData("allow", 5, 1, "spec.inspect.mode must be detect or block")]
    [InlineData("block", 0, 1, "spec.inspect.threshold must be 1 to 100")]
    [InlineData("block", 5, 3, "spec.inspect.level must be 1 to 2")]
    [InlineData("block", 5, 1, null)]
    public void What_the_route_says_is_checked(string mode, int threshold, int level, string? fault) =>
        Assert.Equal(fault, FaultOf(new InspectSpec(mode, threshold, level)));

    [Fact]
    public void Lists_are_checked()
    {
        Assert.Equal(
            "spec.inspect.except[0].rules[0] is no rule; docs/gateway/inspection.md lists them",
            FaultOf(new InspectSpec(Except: [new(null, ["sql-onion"])])));
        Assert.Equal("spec.inspect.except[0] must have parameters or rules", FaultOf(new InspectSpec(Except: [new()])));
        Assert.Equal(
            "spec.inspect.classes[0] must be sql, xss, traversal or command",
            FaultOf(new InspectSpec(Classes: ["ssrf"])));
        Assert.Equal(
            "spec.inspect.headers[0] must be the name of a header field", FaultOf(new InspectSpec(Headers: ["a b"])));
        Assert.Equal("spec.inspect.bodyBytes must be 0 to 1048576", FaultOf(new InspectSpec(BodyBytes: 2_000_000)));
        Assert.Null(FaultOf(new InspectSpec(Except: [new(["a"], ["sql-union"])], Headers: [])));
    }

    [Fact]
    public void Each_rule_stands_at_its_place_and_the_page_lists_it()
    {
        var page = File.ReadAllText(
            Path.Combine(RepositoryFolder(), "docs", "gateway", "inspection.md"));
        Assert.All(InspectionRules.All, (rule, at) =>
        {
            Assert.Equal(at, (int)rule.Rule);
            Assert.Contains($"`{rule.Id}` {rule.Score}", page, StringComparison.Ordinal);
        });
        Assert.Equal(Enum.GetValues<Rule>().Length, InspectionRules.All.Length);
    }

    [Fact]
    public void A_value_without_signs_costs_no_memory_and_neither_does_another()
    {
        byte[][] values =
            [.. new[] { "plain-value_1", "O'Reilly and sons", "1 or 2 (two)" }.Select(Encoding.UTF8.GetBytes)];
        foreach (var value in values) Inspector.Inspect(value, Coding.Plain, RuleSet.All);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++)
            foreach (var value in values) Inspector.Inspect(value, Coding.Plain, RuleSet.All);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100);
        Assert.True(Inspector.IsPlain("plain-value_1"u8, Coding.Form));
        Assert.True(Inspector.IsPlainQuery("page=1&sort=name&q=shoes"u8));
        Assert.False(Inspector.IsPlainQuery("page=1&q=it%27s"u8));
    }

    public static TheoryData<string> Repeated => new(
        "'", "\"", "(", "<", "<a ", "/*", "/*!", "%", "%25", "&#", "\\u", "or ", "and f(", "union select ", "../", "; ",
        "`", "$(", "--", "#", "on", "onload=", "<a onx", "alert(", "{{", "'a' or ", "(select ", " ", "\n", "a.",
        "1 and (", "javascript:", "case when ", "';", "@@", "0x", "ls ;", "\"\\", "&lt;", "not ", "-", "'or(", "| ",
        ";/bin/");

    [Theory]
    [MemberData(nameof(Repeated))]
    public void Time_grows_as_the_text_does(string piece)
    {
        // A hundred times as much takes as long as a hundred times; what were quadratic would take a hundred as long.
        var small = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 4_000 / piece.Length)));
        var large = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 400_000 / piece.Length)));
        Inspector.Inspect(small, Coding.Plain, RuleSet.All);
        var often = Shortest(() =>
        {
            for (var time = 0; time < 100; time++) Inspector.Inspect(small, Coding.Plain, RuleSet.All);
        });
        var once = Shortest(() => Inspector.Inspect(large, Coding.Plain, RuleSet.All));
        Assert.InRange(once / often, 0, 20);

        // The machine may be busy with something else.
        static double Shortest(Action inspect) => Enumerable.Range(0, 3).Min(_ =>
        {
            var began = TimeProvider.System.GetTimestamp();
            inspect();
            return TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        });
    }

    [Fact]
    public void No_bytes_whatever_break_the_decoders_or_the_scanners()
    {
        var random = LongRun.Random();
        var pieces = new[]
        {
            "%", "%2", "%25", "%u00", "%uD800", "&#x", "&#9999999999;", "&lt", "\\u", "\\u{", "\\x", "'", "\"", "/*",
            "*/", "/*!50000", "<", "</", "<svg ", "on", "=", "javascript", ":", "..", "/", "\\", "\0", ";", "`", "$(",
            "${", "(", ")", "union", " select ", "or ", "1", "--", "#", "\n", "\u00C0\u00AF", "ａ", "@@", "0x", "e",
            ".", "{{", "case when",
        };
        var count = LongRun.Count(20_000, 3_000_000);
        for (var round = 0; round < count; round++)
        {
            var bytes = new List<byte>();
            for (var part = random.Next(1, 24); part > 0; part--)
            {
                if (random.Next(4) == 0) bytes.Add((byte)random.Next(256));
                else bytes.AddRange(Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }
            var value = bytes.ToArray();
            var coding = (Coding)random.Next(5);
            Inspector.Inspect(value, coding, RuleSet.All);
            var type = new[] { "application/json", "multipart/form-data; boundary=a", "text/plain" }[random.Next(3)];
            var run = new InspectionRun(new InspectionPlan(new InspectSpec()));
            BodyInspection.Inspect(
                value, BodyInspection.FormOf(Encoding.ASCII.GetBytes(type)), Encoding.ASCII.GetBytes(type),
                random.Next(2) == 0, ref run);
            var copy = value.ToArray();
            Assert.InRange(ValueDecoder.UnescapeAll(copy), 0, copy.Length);
        }
    }

    [Theory]
    [InlineData("%2527", "'")]
    [InlineData("%u0027", "'")]
    [InlineData("&#39;&#x27;&apos;", "'''")]
    [InlineData("\\u0027\\x27\\u{27}", "'''")]
    [InlineData("%26%2339%3b", "'")]
    [InlineData("%25252527", "'")]
    [InlineData("%zz&nothing;\\q&#;", "%zz&nothing;\\q&#;")]
    [InlineData("&#x4e2d;\\u4e2d", "中中")]
    public void Codings_over_each_other_are_undone(string text, string plain)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(plain, Encoding.UTF8.GetString(bytes, 0, ValueDecoder.UnescapeAll(bytes)));
    }

    private static string? FaultOf(InspectSpec spec) => SpecFaults.Of(
        new RouteSpec(new MatchSpec(["localhost"], "/**"), "catalog", Inspect: spec));

    private static async Task<TestEdge> StartAsync(WebInstance instance, InspectSpec spec)
    {
        var edge = await TestEdge.StartAsync();
        edge.RouteAll(route => route with { Inspect = spec }).Instances(instance.Address);
        return edge;
    }

    private static async Task<HttpStatusCode> GetAsync(TestEdge edge, string target, string? field = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        if (field?.Split(": ", 2) is [var name, var value]) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await edge.Client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PostAsync(
        TestEdge edge, string type, string body, bool chunked = false, string? coding = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/find");
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (coding is not null) request.Content.Headers.ContentEncoding.Add(coding);
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await edge.Client.SendAsync(request);
        return answer.StatusCode;
    }

    // What was decided about the last of so many requests, as whoever asks is told.
    private static async Task<string> ToldAsync(TestEdge edge, int requests)
    {
        var all = await Eventually.ValueAsync(
            () => Task.FromResult(edge.Module.Seen.Recorder.Ring.Read()),
            found => found.Count >= requests, "the requests are kept");
        var last = all.OrderBy(one => one.At).Last();
        return string.Join('\n', RequestExplainer.Explain(last, "node", _ => true, [])
            .Decisions.Select(one => $"{one.What}: {one.About}"));
    }

    private static string RepositoryFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Groundwork.slnx"))) folder = folder.Parent!; // It is in it.
        return folder.FullName;
    }
}
