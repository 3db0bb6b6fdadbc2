using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

/// <summary>
/// The vectors that every reader is checked with, and the bounds of a document. The answers of the vectors were
/// computed by another program in another language, from the words of docs/settings.md.
/// </summary>
public sealed class FlagVectorTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "flags.json"))).RootElement;

    [Fact]
    public void Shares_and_draws_are_those_of_the_words()
    {
        foreach (var vector in Vectors.GetProperty("shares").EnumerateArray())
        {
            var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
                '\0', vector.GetProperty("flag"), vector.GetProperty("salt"), vector.GetProperty("user"))));
            Assert.Equal(vector.GetProperty("share").GetUInt64(), Reduced(digest));
            Assert.Equal(vector.GetProperty("draw").GetUInt64(), Reduced(digest.AsSpan(8)));
        }
    }

    [Fact]
    public void Every_document_of_the_vectors_can_be_published()
    {
        foreach (var document in Vectors.GetProperty("documents").EnumerateArray())
            Assert.Empty(Judge(document.GetProperty("text").GetString() ?? ""));
    }

    [Theory]
    [InlineData("rules", FlagCheck.MaxRules)]
    [InlineData("variants", FlagCheck.MaxVariants)]
    [InlineData("users", FlagCheck.MaxUsers)]
    [InlineData("labels", FlagCheck.MaxLabels)]
    [InlineData("flags", FlagsCheck.MaxFlags)]
    public void As_many_as_allowed_pass_and_one_more_does_not(string what, int most)
    {
        Assert.Empty(Judge(With(what, most)));
        var fault = Assert.Single(Judge(With(what, most + 1)));
        Assert.Contains($"{most + 1}", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{most} are allowed", fault.Message, StringComparison.Ordinal);
    }

    private static string With(string what, int count)
    {
        string Each(string one) => string.Join(
            ", ", Enumerable.Range(0, count).Select(n => one.Replace("N", $"{n}", StringComparison.Ordinal)));
        return what switch
        {
            "rules" => """{"flags":{"a":{"rules":[""" + Each("""{"name":"rN","serve":"on"}""") + "]}}}",
            "variants" => """{"flags":{"a":{"default":"v0","variants":{""" + Each("\"vN\":N") + "}}}}",
            "users" => """{"flags":{"a":{"rules":[{"name":"r","serve":"on","users":[""" + Each("\"uN\"") + "]}]}}}",
            "labels" =>
                """{"flags":{"a":{"rules":[{"name":"r","serve":"on","labels":{""" + Each("\"lN\":\"x\"") + "}}]}}}",
            _ => """{"flags":{""" + Each("\"fN\":{}") + "}}",
        };
    }

    private static ulong Reduced(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(bytes) % 10_000;

    private static List<FieldFault> Judge(string text)
    {
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec("flags", text), faults);
        return faults;
    }
}
