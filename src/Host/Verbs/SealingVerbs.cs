using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Verb = Groundwork.Host.CommandLine.Verb;

namespace Groundwork.Host.Verbs;

/// <summary><c>seal</c>: values that may lie in a repository; <c>sealing-key</c>: what seals them.</summary>
internal static class SealingVerbs
{
    private static readonly Option<string> Namespace = new("--namespace", "-n")
    {
        Description = "The namespace that it is for; it opens in no other", HelpName = "NAMESPACE", Required = true,
    };

    private static readonly Option<string?> KeyFile = new("--key")
    {
        Description = "What 'sealing-key list -o json' printed, to seal without a node", HelpName = "FILE",
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("seal", "Seal a value for the text of a setting; it is asked for, or read from stdin.",
            "seal --namespace prod < password", SealAsync)
        {
            Namespace, KeyFile,
        },
        new Verb("sealing-key", "List or rotate the keys that values are sealed under.", "sealing-key list -o json",
            run: null)
        {
            new Verb("list", "List the public halves, the current one first.", "sealing-key list -o json", ListAsync),
            new Verb("rotate", "Announce a new key; the old ones go on opening.", "sealing-key rotate", RotateAsync),
        },
    ];

    private static async Task<int> SealAsync(Call call)
    {
        var @namespace = call.Required(Namespace);
        if (!Names.IsNamespace(@namespace)) throw VerbFailure.Usage($"'{@namespace}' is not a namespace");
        var keys = call.Get(KeyFile) is { } file ? ReadFile(call, file) : await AskAsync(call);
        var key = keys.FirstOrDefault(one => one.Current) ?? keys.FirstOrDefault()
            ?? throw VerbFailure.Usage("there is no sealing key");
        if (key.Algorithm != SealedValue.Algorithm)
            throw VerbFailure.Usage($"the key {key.Id} is for {key.Algorithm}, which this version does not know");
        var value = ReadValue(call.Terminal);
        try
        {
            var sealedValue = SealedValue.Seal(key.Id, Convert.FromBase64String(key.PublicKey), @namespace, value);
            call.Answer.Print(new JsonObject { ["sealed"] = sealedValue, ["key"] = key.Id }, sealedValue);
            return ExitCodes.Ok;
        }
        catch (Exception fault) when (fault is FormatException or CryptographicException)
        {
            throw VerbFailure.Usage($"the key {key.Id} is damaged: {fault.Message}");
        }
    }

    // All of standard input, because a certificate has many lines; the line end that 'echo' adds is not the value's.
    private static string ReadValue(Terminal terminal)
    {
        var value = terminal.IsInputInteractive ? SecretInput.ReadNew(terminal, "value") : terminal.In.ReadToEnd();
        if (value.EndsWith('\n')) value = value[..^(value.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : 1)];
        if (value.Length == 0) throw VerbFailure.Usage("no value was given");
        return Encoding.UTF8.GetByteCount(value) <= SealedValue.MaxBytes
            ? value
            : throw VerbFailure.Usage($"a value has at most {SealedValue.MaxBytes} bytes");
    }

    private static async Task<IReadOnlyList<SealingKeyDocument>> AskAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync("sealing-keys", call.Cancellation);
        return answer.Read(WireJson.Lenient.IReadOnlyListSealingKeyDocument);
    }

    private static IReadOnlyList<SealingKeyDocument> ReadFile(Call call, string path)
    {
        var full = Path.GetFullPath(path, call.Surroundings.WorkingDirectory);
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(full), WireJson.Lenient.IReadOnlyListSealingKeyDocument) ?? [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw VerbFailure.Usage($"{path} has no sealing keys: {fault.Message}");
        }
    }

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync("sealing-keys", call.Cancellation);
        var keys = answer.Read(WireJson.Lenient.IReadOnlyListSealingKeyDocument);
        call.Answer.Print(answer.Document, () => keys.Aggregate(
            new Table("KEY", "CURRENT", "ALGORITHM", "PUBLIC KEY"),
            (table, key) => table.Add(key.Id, key.Current ? "yes" : "", key.Algorithm, key.PublicKey)));
        return ExitCodes.Ok;
    }

    private static async Task<int> RotateAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.SendAsync(ApiRequest.Post("sealing-keys/rotate"), call.Cancellation);
        var rotated = answer.Read(WireJson.Lenient.WorkingKeyAnswer);
        call.Answer.Print(answer.Document, $"{rotated.Id} takes over in {rotated.TakesOverInSeconds} s");
        return ExitCodes.Ok;
    }
}
