using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// A listener's certificate, read again after the files change, so that a renewal needs no restart. A renewal that
/// cannot be read keeps the last good one and says so.
/// </summary>
internal sealed partial class TlsCertificate(string listener, TlsOptions files, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// How often the files are looked at: certificates live for weeks, and a handshake should not touch the disk.
    /// </summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly Lock reload = new(); // Held while the files are read; readers of current do not take it.
    private SslStreamCertificateContext? current;
    private DateTime writtenAt; // Newest modification time of the two files; under the lock.
    private long lookedAt; // Timestamp; under the lock.

    /// <summary>Reads the files for the first time.</summary>
    public void Load()
    {
        try
        {
            Volatile.Write(ref current, Read(out writtenAt));
            lookedAt = time.GetTimestamp();
        }
        catch (Exception unreadable) when (
            unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StartupException(
                new Fault(
                    ErrorCodes.ConfigurationInvalid,
                    $"Listener {listener} cannot use its certificate {files.CertificateFile} with {files.KeyFile}: "
                    + $"{unreadable.Message}"),
                unreadable);
        }
    }

    public SslStreamCertificateContext Current()
    {
        if (time.GetElapsedTime(Volatile.Read(ref lookedAt)) > LookEvery && reload.TryEnter())
        {
            try
            {
                LookAgain();
            }
            finally
            {
                reload.Exit();
            }
        }
        return Volatile.Read(
            ref current) ?? throw new InvalidOperationException("The certificate has not been loaded.");
    }

    private void LookAgain()
    {
        Volatile.Write(ref lookedAt, time.GetTimestamp());
        try
        {
            if (Newest() == writtenAt) return;
            Volatile.Write(ref current, Read(out writtenAt));
            LogRenewed(listener, files.CertificateFile);
        }
        catch (Exception unreadable) when (
            unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            LogKept(unreadable, listener, files.CertificateFile);
        }
    }

    private SslStreamCertificateContext Read(out DateTime written)
    {
        written = Newest();
        using var leaf = X509Certificate2.CreateFromPemFile(files.CertificateFile, files.KeyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(files.CertificateFile);
        // SslStream on some platforms cannot use a key that is only in memory; a round trip through PKCS#12 always can
        // be used.
        var usable = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
        return SslStreamCertificateContext.Create(usable, chain, offline: true);
    }

    private DateTime Newest()
    {
        var certificate = File.GetLastWriteTimeUtc(files.CertificateFile);
        var key = File.GetLastWriteTimeUtc(files.KeyFile);
        return certificate > key ? certificate : key;
    }

    [LoggerMessage(1, LogLevel.Information, "Listener {Listener} serves the renewed certificate {File}")]
    private partial void LogRenewed(string listener, string file);

    [LoggerMessage(2, LogLevel.Error, "Listener {Listener} keeps its certificate; the new {File} cannot be read")]
    private partial void LogKept(Exception exception, string listener, string file);
}
