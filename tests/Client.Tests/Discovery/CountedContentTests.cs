using System.Net.Http.Headers;
using System.Text;
using Groundwork.Client.Discovery;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Discovery;

public sealed class CountedContentTests
{
    private readonly ServiceTarget target =
        new(new InstanceDocument("catalog", "127.0.0.1", 1), "one", TimeProvider.System);

    [Fact]
    public async Task Read_as_text_it_ends_and_its_headers_are_the_answers()
    {
        var content = Counted("a body", "text/markdown");
        Assert.Equal("text/markdown", content.Headers.ContentType?.MediaType);
        Assert.Equal(6, content.Headers.ContentLength);
        Assert.Equal(1, target.InFlight);
        Assert.Equal("a body", await content.ReadAsStringAsync());
        Assert.Equal(0, target.InFlight);
    }

    [Fact]
    public async Task Read_as_a_stream_it_ends_with_the_stream()
    {
        using var content = Counted("a body");
        await using var stream = await content.ReadAsStreamAsync();
        var buffer = new byte[4];
        Assert.Equal(4, await stream.ReadAsync(buffer));
        Assert.Equal(1, target.InFlight);
        Assert.Equal(2, await stream.ReadAsync(buffer));
        Assert.Equal(0, await stream.ReadAsync(buffer));
        Assert.Equal(0, target.InFlight);
    }

    [Fact]
    public void Read_synchronously_it_ends_too()
    {
        using var content = Counted("a body");
        using var reader = new StreamReader(content.ReadAsStream());
        Assert.Equal("a body", reader.ReadToEnd());
        Assert.Equal(0, target.InFlight);
    }

    [Fact]
    public async Task Disposed_before_its_end_it_is_over()
    {
        var content = Counted("a body");
        await (await content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[1]);
        content.Dispose();
        content.Dispose();
        Assert.Equal(0, target.InFlight);
    }

    [Fact]
    public void Neither_read_nor_disposed_it_is_over_when_it_is_collected()
    {
        Abandon();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(0, target.InFlight);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void Abandon() => Assert.NotNull(Counted("a body"));

    private CountedContent Counted(string text, string mediaType = "text/plain") => new(
        new ByteArrayContent(Encoding.UTF8.GetBytes(text))
        {
            Headers = { ContentType = new MediaTypeHeaderValue(mediaType) },
        },
        target.Begin(ChoiceReason.Only), TimeSpan.Zero);
}
