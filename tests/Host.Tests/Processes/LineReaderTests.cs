using Groundwork.Host.Processes;

namespace Groundwork.Host.Tests.Processes;

public sealed class LineReaderTests
{
    [Theory]
    [InlineData("a\nb\n", new[] { "a", "b" })]
    [InlineData("a\r\n\nb", new[] { "a", "", "b" })]
    [InlineData("", new string[0])]
    public async Task Lines_are_split(string text, string[] expected) => Assert.Equal(expected, await ReadAsync(text));

    [Fact]
    public async Task A_line_longer_than_the_bound_is_broken()
    {
        var lines = await ReadAsync(new string(
            'x', LineReader.MaxLineLength + 5) + "\ny\n" + new string('z', LineReader.MaxLineLength) + "\nend");
        Assert.Equal([LineReader.MaxLineLength, 5, 1, LineReader.MaxLineLength, 3], lines.Select(line => line.Length));
    }

    private static async Task<List<string>> ReadAsync(string text)
    {
        var lines = new List<string>();
        await LineReader.ReadAsync(new StringReader(text), Add, CancellationToken.None);
        return lines;

        ValueTask Add(string line)
        {
            lines.Add(line);
            return ValueTask.CompletedTask;
        }
    }
}
