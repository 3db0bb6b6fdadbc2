using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Host.CommandLine;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Api;

/// <summary>A kept sign-in.</summary>
internal sealed record SignIn(string Principal, string AccessToken, string RefreshToken, DateTimeOffset ExpiresAt);

/// <summary>The user's sign-ins by server: <c>sign-ins.json</c>, 0600, in a directory that is 0700.</summary>
internal sealed class SignInFile(string directory, TimeProvider time)
{
    /// <summary>
    /// A token that runs out within this is renewed first: the request itself takes time, and clocks differ.
    /// </summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait for another process that renews. It needs one round trip.</summary>
    private static readonly TimeSpan TurnPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(50);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite;

    public string FilePath { get; } = Path.Combine(directory, "sign-ins.json");

    public SignIn? Find(string server) => Load().GetValueOrDefault(server);

    public bool IsFresh(SignIn signIn) => signIn.ExpiresAt - time.GetUtcNow() > Margin;

    public void Keep(string server, SignInAnswer answer)
    {
        var all = Load();
        all[server] = new SignIn(
            answer.Principal, answer.AccessToken, answer.RefreshToken,
            time.GetUtcNow() + TimeSpan.FromSeconds(answer.ExpiresInSeconds));
        Store(all);
    }

    public bool Forget(string server)
    {
        var all = Load();
        if (!all.Remove(server)) return false;
        Store(all);
        return true;
    }

    /// <summary>Keeps other processes of this user from renewing until disposed.</summary>
    public async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        CreateDirectory();
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(
                    Path.Combine(
                        directory, "sign-ins.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(started) < TurnPatience)
            {
                await Task.Delay(TurnInterval, time, cancellationToken);
            }
        }
    }

    private Dictionary<string, SignIn> Load()
    {
        if (!File.Exists(FilePath)) return new Dictionary<string, SignIn>(StringComparer.Ordinal);
        if ((File.GetUnixFileMode(FilePath) & Others) != UnixFileMode.None)
            throw new VerbFailure(
                ExitCodes.Refused, $"{FilePath} is open to others; run 'chmod 600 {FilePath}' or delete it");
        try
        {
            var kept = JsonSerializer.Deserialize(
                File.ReadAllBytes(FilePath), SignInJson.Default.DictionaryStringSignIn);
            return new Dictionary<string, SignIn>(kept ?? [], StringComparer.Ordinal);
        }
        catch (JsonException fault)
        {
            throw new VerbFailure(
                ExitCodes.Refused, $"{FilePath} is damaged: {fault.Message}; delete it and sign in again");
        }
    }

    // Written beside and renamed, so that a crash leaves the old or the new file and never half of one.
    private void Store(Dictionary<string, SignIn> all)
    {
        CreateDirectory();
        var beside = $"{FilePath}.{Environment.ProcessId}";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly,
        };
        using (var file = new FileStream(beside, options))
        {
            JsonSerializer.Serialize(file, all, SignInJson.Default.DictionaryStringSignIn);
            // Before the rename: a refresh token that the node has replaced is good for nothing, so that the new one
            // must not be lost to a power cut.
            file.Flush(flushToDisk: true);
        }
        File.Move(beside, FilePath, overwrite: true);
    }

    private void CreateDirectory() => Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Dictionary<string, SignIn>))]
internal sealed partial class SignInJson : JsonSerializerContext;
