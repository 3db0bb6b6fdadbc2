using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Security;

public sealed class SecretProtectorTests : IAsyncLifetime
{
    private static readonly ResourceKey Key = new("vault", "", "v");

    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    private SecretProtector Secrets => node.Security.Secrets;

    public async ValueTask InitializeAsync() => node = await OpenSecurity.OnAsync(directory);

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public void Secrets_in_every_place_are_encrypted_masked_and_opened_again()
    {
        const string Spec = """
            { "note":"s3cret is not here", "pin":"c4nary-1", "door":{"code":"c4nary-2","maker":"x"},
              "people":[{"name":"a","password":"c4nary-3"},{"name":"b"},{"name":"c","password":"c4nary-\u00e4\"4"}],
              "boxes":{"one":"c4nary-5","two":null}, "other":{"code":"open"} }
            """;
        var sealedSpec = Protect(Spec);
        Assert.DoesNotContain("c4nary", sealedSpec, StringComparison.Ordinal);
        var masked = Mask(sealedSpec);
        Assert.DoesNotContain("sealed", masked, StringComparison.Ordinal);
        Assert.DoesNotContain("k-", masked, StringComparison.Ordinal);
        Assert.Equal(5, masked.Split("{\"secret\":\"sha256:").Length - 1);
        Assert.Contains("\"other\":{\"code\":\"open\"}", masked, StringComparison.Ordinal);
        Assert.True(JsonElement.DeepEquals(Json(Spec), Json(Open(sealedSpec))));
    }

    [Fact]
    public void Kind_without_secrets_costs_nothing()
    {
        ReadOnlyMemory<byte> spec = """{"grants":[]}"""u8.ToArray();
        Assert.True(spec.Equals(Secrets.Protect(SecurityKinds.Role, new("role", "", "r"), spec, null).Value));
        Assert.True(spec.Equals(Secrets.Mask(SecurityKinds.Role, spec)));
        Assert.True(spec.Equals(Secrets.Open(SecurityKinds.Role, new("role", "", "r"), spec)));
    }

    [Fact]
    public void Masked_form_keeps_the_value_in_place()
    {
        var before = Protect(
            """{"note":"1","pin":"1234","people":[{"name":"a","password":"pa"},{"name":"b","password":"pb"}]}""");
        var edited = Mask(before).Replace("\"note\":\"1\"", "\"note\":\"2\"", StringComparison.Ordinal);
        var after = Protect(edited, before);
        Assert.Equal("1234", Json(Open(after)).GetProperty("pin").GetString());
        Assert.Equal("2", Json(after).GetProperty("note").GetString());
    }

    [Fact]
    public void Masked_form_follows_an_element_of_a_list_that_moved()
    {
        var before = Protect("""{"note":"","people":[{"name":"a","password":"pa"},{"name":"b","password":"pb"}]}""");
        var people = Json(Mask(before)).GetProperty("people");
        var after = Protect($$"""{"note":"","people":[{{people[1]}}]}""", before);
        Assert.Equal("pb", Json(Open(after)).GetProperty("people")[0].GetProperty("password").GetString());
    }

    [Theory]
    [InlineData("""{"note":"","pin":{"secret":"sha256:0000000000000000"}}""", "secret_mismatch")]
    [InlineData("""{"note":"","pin":{"secret":"1234"}}""", "secret_mismatch")]
    [InlineData(
        """{"note":"","pin":{"secret":"sha256:0000000000000000","key":"k","sealed":"AAAA"}}""", "resource_invalid")]
    [InlineData("""{"note":"","pin":{}}""", "resource_invalid")]
    [InlineData("""{"note":"","pin":12}""", "resource_invalid")]
    [InlineData("""{"note":"","pin":["1234"]}""", "resource_invalid")]
    public void Wrong_form_of_a_secret_is_refused_with_its_path(string spec, string code)
    {
        var fault =
            Secrets.Protect(VaultKinds.Vault, Key, Bytes(spec), At(Protect("""{"note":"","pin":"1234"}"""))).Fault;
        Assert.Equal(code, fault?.Error.Code);
        Assert.Equal("spec.pin", fault!.Fields[0].Path);
    }

    [Fact]
    public void Masked_form_without_a_resource_in_place_is_refused() => Assert.Equal(
        ErrorCodes.SecretMismatch,
        Secrets.Protect(VaultKinds.Vault, Key, Bytes("""{"note":"","pin":{"secret":"sha256:00"}}"""), null)
            .Fault?.Error);

    [Fact]
    public void Same_secret_keeps_its_bytes_and_another_one_does_not()
    {
        var before = Protect("""{"note":"","pin":"1234"}""");
        Assert.Equal(before, Protect("""{"note":"","pin":"1234"}""", before));
        Assert.NotEqual(before, Protect("""{"note":"","pin":"1235"}""", before));
    }

    [Fact]
    public void Digest_says_nothing_without_the_key_and_differs_between_resources_and_installs()
    {
        var here = Mask(Protect("""{"note":"","pin":"1234"}"""));
        var elsewhere = Mask(Text(Secrets.Protect(
            VaultKinds.Vault, Key with { Name = "w" }, Bytes("""{"note":"","pin":"1234"}"""), null).Value));
        Assert.NotEqual(here, elsewhere);
        var plain = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("1234"u8))[..16];
        Assert.DoesNotContain(plain, here, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("w", "pin")]
    [InlineData("v", "door.code")]
    public void Ciphertext_that_was_moved_does_not_open(string name, string field)
    {
        var secret = Json(Protect("""{"note":"","pin":"1234"}""")).GetProperty("pin").GetRawText();
        var moved = field == "pin"
            ? $$"""{"note":"","pin":{{secret}}}""" : $$$"""{"note":"","door":{"code":{{{secret}}}}}""";
        Assert.Throws<InvalidDataException>(
            () => Secrets.Open(VaultKinds.Vault, Key with { Name = name }, Bytes(moved)));
    }

    [Fact]
    public void Ciphertext_with_one_bit_changed_does_not_open()
    {
        var spec = Protect("""{"note":"","pin":"1234"}""");
        var content = Json(spec).GetProperty("pin").GetProperty("sealed").GetBytesFromBase64();
        foreach (var place in new[] { 0, 11, 12, content.Length - 1 })
        {
            var altered = (byte[])content.Clone();
            altered[place] ^= 1;
            var text = spec.Replace(
                Convert.ToBase64String(content), Convert.ToBase64String(altered), StringComparison.Ordinal);
            Assert.NotEqual(spec, text);
            Assert.Throws<InvalidDataException>(() => Secrets.Open(VaultKinds.Vault, Key, Bytes(text)));
        }
    }

    [Fact]
    public void Secret_of_a_kind_whose_module_is_not_loaded_is_masked_all_the_same()
    {
        var spec = Protect("""{"note":"","pin":"1234","people":[{"name":"a","password":"pa"}]}""");
        var masked = Text(Secrets.Mask(null, Bytes(spec)));
        Assert.Equal(Mask(spec), masked);
    }

    [Fact]
    public void Secret_in_clear_never_passes_a_mask() =>
        Assert.Equal(
            """{"pin":{"secret":"unknown"}}""", Text(Secrets.Mask(VaultKinds.Vault, Bytes("""{"pin":"1234"}"""))));

    [Fact]
    public async Task Rotated_key_takes_over_after_every_node_could_read_it_and_the_old_one_still_opens()
    {
        var before = Protect("""{"note":"","pin":"1234"}""");
        var old = node.Security.Keys.CurrentId;
        var next = await node.Security.Keys.RotateAsync(CancellationToken.None);
        Assert.Equal(old, node.Security.Keys.CurrentId);
        node.Time.Advance(WorkingKeys.AnnouncedFor);
        await node.Security.Keys.ReloadAsync(CancellationToken.None);
        Assert.Equal(next, node.Security.Keys.CurrentId);
        Assert.Equal("1234", Json(Open(before)).GetProperty("pin").GetString());
        var after = Protect("""{"note":"","pin":"1234"}""", before);
        Assert.Equal(next, Json(after).GetProperty("pin").GetProperty("key").GetString());
        Assert.Equal(Mask(before), Mask(after));
    }

    [Fact]
    public async Task Canary_in_a_secret_is_in_no_file_of_the_store()
    {
        const string Canary = "c4nary-in-a-coal-mine";
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Raw("vault", "v", $$"""{"note":"visible-note","pin":"{{Canary}}"}"""));
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Raw("vault", "v", $$"""{"note":"visible-note-2","pin":"{{Canary}}"}"""));
        Assert.Contains(Files(), bytes => Contains(bytes, "visible-note-2"));
        Assert.DoesNotContain(Files(), bytes => Contains(bytes, Canary));
        var resource = node.Changes.Snapshots.Current.Find("vault", "", "v")!;
        Assert.Equal(
            Canary, Json(Text(Secrets.Open(VaultKinds.Vault, Key, resource.Spec))).GetProperty("pin").GetString());
    }

    private IEnumerable<byte[]> Files() =>
        Directory.GetFiles(directory.Path, "*", SearchOption.AllDirectories).Select(ReadShared);

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static bool Contains(byte[] bytes, string text) =>
        bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;

    private string Protect(string spec, string? before = null) =>
        Text(Secrets.Protect(VaultKinds.Vault, Key, Bytes(spec), before is null ? null : At(before)).Value);

    private string Mask(string spec) => Text(Secrets.Mask(VaultKinds.Vault, Bytes(spec)));

    private string Open(string spec) => Text(Secrets.Open(VaultKinds.Vault, Key, Bytes(spec)));

    private static Resource At(string spec) => new()
    {
        Key = Key,
        Version = 1,
        Labels = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty,
        Spec = Bytes(spec),
        SpecHash = default,
        Revision = 1,
        ChangedBy = "operator:admin",
        ChangedAt = DateTimeOffset.UnixEpoch,
        Kind = VaultKinds.Vault,
    };

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
