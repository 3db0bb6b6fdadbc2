using System.Text;
using System.Text.Json;

namespace Groundwork.Wire.Tests;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""{"a":"b"}""", true)]
    [InlineData("""{"ä€😀":"ü"}""", true)]
    [InlineData("""{"a":"\ud83d\ude00","\u00e4":1}""", true)]
    [InlineData("""{"a":"\ud83d"}""", false)]
    [InlineData("""{"\ude00":1}""", false)]
    [InlineData("""[["\ud83d\ud83d"]]""", false)]
    [InlineData("""{"a":"\\ud83d"}""", true)] // A backslash that is escaped itself.
    public void Half_of_a_pair_is_no_text(string json, bool expected) =>
        Assert.Equal(expected, JsonText.IsUnicode(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xbf, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xc0, 0x80, (byte)'"' })] // More bytes than needed.
    [InlineData(new byte[] { (byte)'"', 0xed, 0xa0, 0x80, (byte)'"' })] // Half of a pair, as if it were a letter.
    public void Bytes_that_are_no_UTF8_are_no_text(byte[] json) => Assert.False(JsonText.IsUnicode(json));

    [Fact]
    public void What_is_no_JSON_is_said_to_be_none() =>
        Assert.ThrowsAny<JsonException>(() => JsonText.IsUnicode("{\"\\u0061\""u8));
}
