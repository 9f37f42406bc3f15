// The JDK's HttpClient, with a form as answers on the web write it: java Client.java API SMALL OTHER URL
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

public class Client {
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final String FORM = "multipart/form-data; boundary=java";
    static String shape;

    static void post(String kind, byte[] body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(shape)).expectContinue(true);
        String answer = CLIENT.send(request.headers(headers).POST(BodyPublishers.ofByteArray(body)).build(),
                BodyHandlers.ofString()).body();
        System.out.println(kind + "\t" + answer.strip());
    }

    static void part(ByteArrayOutputStream body, String name, String file, byte[] content) throws IOException {
        String filename = file == null ? "" : "; filename=\"" + file + "\"\r\nContent-Type: image/jpeg";
        body.write(("--java\r\nContent-Disposition: form-data; name=\"" + name + "\"" + filename + "\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        body.write(content);
        body.write("\r\n".getBytes(StandardCharsets.UTF_8));
    }

    static byte[] form(String name, byte[] url, byte[]... files) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] file : files) part(body, name, "a.jpg", file);
        if (url != null) part(body, "url", null, url);
        body.write("--java--\r\n".getBytes(StandardCharsets.UTF_8));
        return body.toByteArray();
    }

    public static void main(String[] arguments) throws Exception {
        shape = arguments[0] + "/shape";
        byte[] small = Files.readAllBytes(Path.of(arguments[1]));
        byte[] other = Files.readAllBytes(Path.of(arguments[2]));
        byte[] url = arguments[3].getBytes(StandardCharsets.UTF_8);
        post("form", form("image", url, small, other), "Content-Type", FORM);
        post("file", form("image", null, small), "Content-Type", FORM);
        post("array", form("image[]", null, small, other), "Content-Type", FORM);
        String encoded = "url=" + URLEncoder.encode(arguments[3], StandardCharsets.UTF_8);
        post("url", encoded.getBytes(StandardCharsets.UTF_8), "Content-Type", "application/x-www-form-urlencoded");
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write(small);
        }
        post("gzip", zipped.toByteArray(), "Content-Type", "image/jpeg", "Content-Encoding", "gzip");
    }
}
