using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Protocols.Spring.Ciphers;
using Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Ciphers;

public sealed class CipherTests
{
    /// <summary>In the manual of Spring Cloud Config: <c>mysecret</c> under the key <c>foo</c>.</summary>
    private const string Published = "682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7bda";

    [Fact]
    public async Task The_value_of_the_manual_is_decrypted_and_ours_by_openssl()
    {
        var cipher = new SpringCipher("foo", CipherKeyKind.DefaultSalt);
        Assert.Equal("mysecret", cipher.Decrypt(Published));
        Assert.Null(new SpringCipher("bar", CipherKeyKind.DefaultSalt).Decrypt(Published));
        Assert.Null(new SpringCipher("foo", "deadbeee").Decrypt(Published));
        var openssl = Tools.Require("openssl", "openssl");
        foreach (var text in new[] { "", "mysecret", "Grüße, 16 Zeichen", new string('x', 1_000) })
        {
            var made = cipher.Encrypt(text);
            Assert.NotEqual(made, cipher.Encrypt(text));
            var key = (await RunAsync(
                openssl, [], "kdf", "-binary", "-keylen", "32", "-kdfopt", "digest:SHA1", "-kdfopt", "pass:foo",
                "-kdfopt", "hexsalt:deadbeef", "-kdfopt", "iter:1024", "PBKDF2"));
            var clear = await RunAsync(
                openssl, Convert.FromHexString(made[32..]), "enc", "-d", "-aes-256-cbc",
                "-K", Convert.ToHexString(key), "-iv", made[..32]);
            Assert.Equal(text, Encoding.UTF8.GetString(clear));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("zz")]
    [InlineData("682bc583f4641835fa2db00935529366")]
    [InlineData("682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7b")]
    [InlineData("682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7bdz")]
    public void What_is_no_encrypted_text_is_none(string text) =>
        Assert.Null(new SpringCipher("foo", CipherKeyKind.DefaultSalt).Decrypt(text));

    [Fact]
    public async Task Values_are_decrypted_where_they_are_served_and_one_that_cannot_be_is_marked()
    {
        using var folder = new TemporaryDirectory();
        folder.Write("orders.properties",
            $"a={{cipher}}{Published}\nb={{cipher}}00\nc=plain\nd={{cipher}}{{key:other}}{Published}\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new(folder.Path));
        await node.Settings.MustPublishAsync("orders/orders.yml", $"e: '{{cipher}}{Published}'");
        Assert.Equal("{cipher}" + Published, await node.ValueAsync("orders/dev", "a"));
        await KeyAsync(node, CipherKeyKind.Default, "foo");
        Assert.Equal("mysecret", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("none", await node.ValueAsync("orders/dev", "b"));
        Assert.Equal("<n/a>", await node.ValueAsync("orders/dev", "invalid.b"));
        Assert.Equal("plain", await node.ValueAsync("orders/dev", "c"));
        Assert.Equal("<n/a>", await node.ValueAsync("orders/dev", "invalid.d"));
        Assert.Equal("mysecret", await node.ValueAsync("orders/dev", "e"));
        Assert.Contains("a: mysecret", await node.TextAsync("orders-dev.properties"), StringComparison.Ordinal);
        await KeyAsync(node, "other", "foo");
        Assert.Equal("mysecret", await node.ValueAsync("orders/dev", "d"));
        await KeyAsync(node, CipherKeyKind.Default, "changed");
        Assert.Equal("<n/a>", await node.ValueAsync("orders/dev", "invalid.a"));
    }

    [Fact]
    public async Task A_value_in_clear_takes_the_right_to_secrets_and_is_on_record()
    {
        using var folder = new TemporaryDirectory();
        folder.Write("orders.yml", $"a: '{{cipher}}{Published}'\n");
        folder.Write("payments.yml", "a: plain\n");
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("files", new(folder.Path));
        await KeyAsync(node, "only", "foo");
        using var reader = await ClientAsync(node, new Grant(["read"], [SettingKind.Name], ["default"]));
        var (status, body) = await node.GetAsync("orders/dev", reader);
        Assert.Equal(403, status);
        Assert.DoesNotContain("mysecret", body.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("plain", await node.ValueAsync("payments/dev", "a", reader));
        using var trusted = await ClientAsync(
            node, new Grant(["read", "read-secret"], [SettingKind.Name], ["default"], ["orders/*"]));
        Assert.Equal("mysecret", await node.ValueAsync("orders/dev", "a", trusted));
        await Eventually.TrueAsync(
            async () => (await node.Local.GetStringAsync("/groundwork/v1/audit?action=secret-read"))
                .Contains("setting default/orders/orders.yml", StringComparison.Ordinal),
            "the reading is on record");
    }

    [Fact]
    public async Task Encrypting_and_decrypting_take_rights_to_the_key()
    {
        await using var node = await SourcesNode.StartAsync();
        Assert.Equal((404, """{"description":"No key was installed for encryption service","status":"NO_KEY"}"""),
            await PostAsync(node.Local, "encrypt", "x"));
        await KeyAsync(node, CipherKeyKind.Default, "foo");
        using var status = await node.Local.GetAsync("/config/encrypt/status");
        Assert.Equal("""{"status":"OK"}""", await status.Content.ReadAsStringAsync());
        var (code, made) = await PostAsync(node.Local, "encrypt", "my+secret=");
        Assert.Equal(200, code);
        Assert.Equal((200, "my+secret="), await PostAsync(node.Local, "decrypt", made));
        Assert.Equal((200, "mysecret"), await PostAsync(node.Local, "decrypt/orders/dev", Published));
        Assert.Equal(400, (await PostAsync(node.Local, "decrypt", "00")).Status);
        // What curl -d sends of a text.
        Assert.Equal((200, "mysecret"), await PostAsync(
            node.Local, "decrypt", Published, "application/x-www-form-urlencoded"));
        Assert.Equal(404, (await PostAsync(node.Local, "encrypt", "{key:none}x")).Status);
        (_, made) = await PostAsync(node.Local, "encrypt", "{key:default}x");
        Assert.StartsWith("{key:default}", made, StringComparison.Ordinal);
        Assert.Equal((200, "x"), await PostAsync(node.Local, "decrypt", made));
        Assert.Equal(413, (await PostAsync(node.Local, "encrypt", new string('x', SpringCipher.MaxBytes + 1))).Status);
        using var nobody = node.Settings.Running.Client();
        Assert.Equal(401, (await PostAsync(nobody, "encrypt", "x")).Status);
        using var settings = await ClientAsync(node, new Grant(["read", "read-secret"], [SettingKind.Name], ["*"]));
        Assert.Equal(403, (await PostAsync(settings, "encrypt", "x")).Status);
        using var writer = await ClientAsync(node, new Grant(["read"], [CipherKeyKind.Name], ["_"]));
        Assert.Equal(200, (await PostAsync(writer, "encrypt", "x")).Status);
        Assert.Equal(403, (await PostAsync(writer, "decrypt", Published)).Status);
        var (_, said) = await PostAsync(writer, "decrypt", Published);
        Assert.DoesNotContain("mysecret", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "deadbeef")]
    [InlineData("foo", "dead")]
    [InlineData("foo", "deadbee")]
    [InlineData("foo", "notahexa")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----", "deadbeef")]
    public async Task A_key_that_is_none_is_a_fault_of_its_field(string key, string salt)
    {
        await using var node = await SourcesNode.StartAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => KeyAsync(node, "key", key, salt));
        Assert.Contains("resource_invalid", refused.Message, StringComparison.Ordinal);
    }

    private static Task KeyAsync(SourcesNode node, string name, string key, string salt = CipherKeyKind.DefaultSalt) =>
        node.Settings.CommitAsync(
            Change.Put(CipherKeyKind.Kind, "", name, new CipherKeySpec(SecretText.Of(key), salt)));

    private static async Task<HttpClient> ClientAsync(SourcesNode node, Grant grant) =>
        node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            $"client-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}", [], [grant]));

    private static async Task<(int Status, string Body)> PostAsync(
        HttpClient client, string path, string text, string type = "text/plain")
    {
        using var body = new StringContent(text, Encoding.UTF8);
        body.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var answer = await client.PostAsync($"/config/{path}", body);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<byte[]> RunAsync(string program, byte[] input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
        })!; // Not null: it does not go through a shell.
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        using var said = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(said);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return said.ToArray();
    }
}
